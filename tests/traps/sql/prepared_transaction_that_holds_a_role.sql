-- trap: a prepared transaction that holds a login, which cannot be shut out before it ends
-- versions: 14 15 16 17
-- outcome: green
-- says: prepared transactions, rolled back: .*ph_role of shop_owner in shop
-- server: max_prepared_transactions = 5
-- as: shop_owner in shop
BEGIN;
ALTER ROLE shop_owner PASSWORD 'Prod-owner-Pa55';
PREPARE TRANSACTION 'ph_role';
