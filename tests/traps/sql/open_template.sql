-- trap: everybody may create in the template of databases that are made later
-- versions: 14
-- outcome: green
-- says: template in which everybody could create what later databases inherit: template1
-- as: superuser in postgres
SELECT 'nothing to plant: PostgreSQL 14 is made so';
