-- trap: whoever creates a role in the master's sessions is a member of it at once, with its rights and its name
-- versions: 16 17
-- outcome: green
-- says: can read
-- refused: app | shop | SET ROLE dba
-- refused: devops | shop | SET ROLE dba
-- alone: the setting is in force for all that the master makes in the other traps
-- as: dba in postgres
ALTER ROLE dba SET createrole_self_grant = 'set, inherit';
