-- trap: an event trigger in the template of databases that are made later
-- versions: 14 15 16 17
-- outcome: green
-- says: template1: event trigger tt_tell on ddl_command_end, runs public\.tt_tell\(\) of shop_owner
-- last: databases that are made after it would have it
-- as: superuser in template1
CREATE FUNCTION public.tt_tell() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN CREATE ROLE tt_ran; END $$;
ALTER FUNCTION public.tt_tell() OWNER TO shop_owner;
CREATE EVENT TRIGGER tt_tell ON ddl_command_end EXECUTE FUNCTION public.tt_tell();
SET allow_system_table_mods = on;
UPDATE pg_event_trigger SET evtowner = 'shop_owner'::regrole;
