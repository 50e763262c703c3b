-- trap: a trigger ON login of the database postgres has run as the master, who may not do without event triggers
-- versions: 17
-- outcome: refused
-- says: event trigger on login in database postgres, which ran as the master user.*event_triggers to 0
-- as: superuser in postgres
REVOKE SET ON PARAMETER event_triggers FROM rds_superuser;
CREATE FUNCTION public.lr_make() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF session_user = 'dba' THEN EXECUTE 'CREATE ROLE lr_made_' || pg_backend_pid() || ' LOGIN'; END IF; END $$;
CREATE EVENT TRIGGER lr_make ON login EXECUTE FUNCTION public.lr_make();
