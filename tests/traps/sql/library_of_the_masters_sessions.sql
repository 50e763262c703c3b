-- trap: sessions of the master begin with a library that is not there
-- versions: 14 15 16 17
-- outcome: green
-- says: logs in, can read
-- last: no session of the master's begins afterwards
-- as: superuser in postgres
ALTER ROLE dba SET local_preload_libraries = 'lm_gone';
