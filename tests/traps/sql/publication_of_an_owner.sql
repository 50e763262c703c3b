-- trap: an owner's publication of a table without a key, which PostgreSQL takes no UPDATE and DELETE for
-- versions: 14 15 16 17
-- outcome: green
-- says: closed: shop: publications, dropped: .*tp_cdc
-- as: shop_owner in shop
CREATE TABLE tp_keyless (id int);
CREATE PUBLICATION tp_cdc FOR TABLE tp_keyless;
