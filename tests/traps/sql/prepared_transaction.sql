-- trap: a prepared transaction that holds its locks for ever
-- versions: 14 15 16 17
-- outcome: green
-- says: closed: prepared transactions, rolled back: pt-1 of shop_owner in shop
-- server: max_prepared_transactions = 5
-- as: shop_owner in shop
CREATE TABLE a_pt_orders (id int PRIMARY KEY);
-- as: shop_owner in shop
BEGIN; LOCK TABLE a_pt_orders; PREPARE TRANSACTION 'pt-1';
