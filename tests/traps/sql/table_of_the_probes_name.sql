-- trap: production has a table of the name that the proof used to take
-- versions: 14 15 16 17
-- outcome: green
-- says: shop: logs in
-- as: shop_owner in shop
CREATE TABLE aurora_restore_probe (id int PRIMARY KEY);
