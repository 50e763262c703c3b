-- trap: the database postgres has another name
-- versions: 14 15 16 17
-- outcome: green
-- says: main: logs in
-- alone: nobody else finds postgres
-- as: superuser in shop
ALTER DATABASE postgres RENAME TO main;
