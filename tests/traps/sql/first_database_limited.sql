-- trap: the database postgres takes one connection at a time
-- versions: 14 15 16 17
-- outcome: green
-- says: postgres: logs in
-- last: whoever plants there afterwards may find the session before still there
-- as: superuser in postgres
ALTER DATABASE postgres CONNECTION LIMIT 1;
