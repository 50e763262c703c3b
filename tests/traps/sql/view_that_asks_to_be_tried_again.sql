-- trap: a view that fails with a code of PostgreSQL's that asks for another try, and a message of its own
-- versions: 14 15 16 17
-- outcome: green
-- says: to read is not tried: .*public\.va_again \(40001 SerializationFailure\)
-- as: shop_owner in shop
CREATE FUNCTION va_again() RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''a name'' USING ERRCODE = ''serialization_failure''; END';
CREATE VIEW va_again AS SELECT id FROM customers WHERE va_again();
