-- trap: a view that fails whenever it is read
-- versions: 14 15 16 17
-- outcome: green
-- says: to read is not tried: .*public\.vf_broken \(22012
-- as: shop_owner in shop
CREATE VIEW vf_broken AS SELECT id FROM customers WHERE 1 / (SELECT count(*) FROM customers WHERE id < 0) = 1;
