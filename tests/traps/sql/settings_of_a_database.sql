-- trap: a database begins transactions read-only, serializable, and with every identifier quoted
-- versions: 14 15 16 17
-- outcome: green
-- says: transactions begin read-only, by a setting that is not the user's own
-- last: what is planted afterwards would be read-only
-- as: superuser in postgres
ALTER DATABASE shop SET default_transaction_read_only = on;
ALTER DATABASE shop SET default_transaction_isolation = serializable;
ALTER DATABASE shop SET quote_all_identifiers = on;
