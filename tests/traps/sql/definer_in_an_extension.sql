-- trap: production's role of a user's name has put a routine that runs with its owner's rights into an extension of its own
-- versions: 14 15 16 17
-- outcome: green
-- says: can read
-- alone: it has a role of a user's name
-- refused: app | shop | SELECT de.sudo('CREATE ROLE de_backdoor')
-- refused: devops | shop | SELECT de.sudo('CREATE ROLE de_backdoor')
-- refused: reader | shop | SELECT de.sudo('SELECT 1')
-- allowed: app | shop | SELECT de.sudo('SELECT 1')
-- as: dba in postgres
CREATE ROLE app;
-- as: superuser in shop
GRANT CREATE ON DATABASE shop TO app;
SET ROLE app;
CREATE SCHEMA de;
CREATE EXTENSION citext SCHEMA de;
CREATE FUNCTION de.sudo(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN EXECUTE t; END';
ALTER EXTENSION citext ADD FUNCTION de.sudo(text);
CREATE TABLE de.kept (id int);
ALTER EXTENSION citext ADD TABLE de.kept;
