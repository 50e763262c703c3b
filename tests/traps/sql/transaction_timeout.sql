-- trap: a database ends every transaction after a moment
-- versions: 17
-- outcome: green
-- says: settings of roles and databases, by name: .*transaction_timeout
-- alone: a slow machine's own statements would be ended, too
-- as: superuser in postgres
ALTER DATABASE shop SET transaction_timeout = '100ms';
