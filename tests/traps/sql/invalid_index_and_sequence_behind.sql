-- trap: an index that is not valid, a constraint that was never validated, a sequence behind its table
-- versions: 14 15 16 17
-- outcome: green
-- says: invalid indexes: REINDEX or drop them: public\.ii_broken
-- says: constraints that were never validated: public\.ii_keyed\.ii_positive
-- says: sequences that are behind the numbers of their tables: setval: public\.ii_keyed_id_seq
-- as: shop_owner in shop
CREATE TABLE ii_keyed (id serial PRIMARY KEY, n int);
INSERT INTO ii_keyed (id) VALUES (7);
ALTER TABLE ii_keyed ADD CONSTRAINT ii_positive CHECK (n > 0) NOT VALID;
CREATE INDEX ii_broken ON ii_keyed (n);
-- as: superuser in shop
SET allow_system_table_mods = on;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ii_broken'::regclass;
