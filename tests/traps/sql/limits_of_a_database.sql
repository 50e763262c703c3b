-- trap: a database ends statements after a moment, sessions that wait a moment, and every session with its first error
-- versions: 14 15 16 17
-- outcome: green
-- says: ld_limits: logs in, can read, .*sessions have limits that are not the user's own: exit_on_error=on, idle_session_timeout=1, statement_timeout=1
-- as: superuser in postgres
CREATE DATABASE ld_limits OWNER shop_owner;
-- as: shop_owner in ld_limits
CREATE TABLE public.ld_table (id int);
-- as: shop_owner in postgres
ALTER DATABASE ld_limits SET statement_timeout = 1;
ALTER DATABASE ld_limits SET idle_session_timeout = 1;
ALTER DATABASE ld_limits SET exit_on_error = on;
