-- trap: a role, a schema, a table, a column, a policy, a routine and a publication have a name with quotes, a new line, dollars, braces and a statement in it
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- allowed: app | shop | DO $x$ BEGIN EXECUTE format('DELETE FROM %1$I.%1$I', E'a"b\n$$ %s {x} \'; DROP ROLE app; --'); END $x$
-- refused: reader | shop | DO $x$ BEGIN EXECUTE format('DELETE FROM %1$I.%1$I', E'a"b\n$$ %s {x} \'; DROP ROLE app; --'); END $x$
-- alone: the name begins every list of names, which are cut
-- as: superuser in shop
DO $trap$
DECLARE
    name text := E'a"b\n$$ %s {x} \'; DROP ROLE app; --';
BEGIN
    EXECUTE format('CREATE ROLE %I LOGIN', name);
    EXECUTE format('GRANT %I TO dba WITH ADMIN OPTION', name);
    EXECUTE format('GRANT CREATE ON DATABASE shop TO %I', name);
    EXECUTE format('SET ROLE %I', name);
    EXECUTE format('CREATE SCHEMA %I', name);
    EXECUTE format('CREATE TABLE %1$I.%1$I (%1$I int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)', name);
    EXECUTE format('INSERT INTO %1$I.%1$I DEFAULT VALUES', name);
    EXECUTE format('CREATE TYPE %1$I.mood AS ENUM (%1$L)', name);
    EXECUTE format('CREATE FUNCTION %1$I.%1$I(%1$I.mood) RETURNS int LANGUAGE sql SECURITY DEFINER AS ''SELECT 1''', name);
    EXECUTE format('ALTER TABLE %1$I.%1$I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY %1$I ON %1$I.%1$I USING (true)', name);
    EXECUTE format('CREATE PUBLICATION %1$I FOR TABLE %1$I.%1$I', name);
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %1$I GRANT ALL ON TABLES TO PUBLIC', name);
    RESET ROLE;
END $trap$;
