-- trap: a prepared transaction that the master cannot end
-- versions: 14 15 16 17
-- outcome: refused
-- says: prepared transaction 'pt-2' of .* in database shop, .*ROLLBACK PREPARED
-- server: max_prepared_transactions = 5
-- as: superuser in shop
BEGIN; LOCK TABLE customers; PREPARE TRANSACTION 'pt-2';
