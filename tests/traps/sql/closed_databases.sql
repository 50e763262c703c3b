-- trap: databases that nobody can connect to: nothing in them is arranged
-- versions: 14 15 16 17
-- outcome: green
-- says: databases that refuse connections: nothing in them was looked at or arranged: cd_limited, cd_shut
-- as: superuser in postgres
CREATE DATABASE cd_shut ALLOW_CONNECTIONS false;
-- as: superuser in postgres
CREATE DATABASE cd_limited CONNECTION LIMIT 0;
