-- trap: a trigger ON login keeps everybody out, the master included
-- versions: 17
-- outcome: refused
-- says: as app, refused by a trigger ON login: not from here \(by lt_deny\(\)\).*event_triggers to 0
-- as: superuser in postgres
CREATE FUNCTION public.lt_deny() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN IF session_user <> 'rdsadmin' THEN RAISE 'not from here'; END IF; END $$;
CREATE EVENT TRIGGER lt_deny ON login EXECUTE FUNCTION public.lt_deny();
