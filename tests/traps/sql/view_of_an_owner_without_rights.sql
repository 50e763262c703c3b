-- trap: a view whose owner has lost the right to what it shows, behind many that can be read
-- versions: 14 15 16 17
-- outcome: green
-- says: not readable, as its owner may not read what it shows: vo\.above \(reads vo\.shown\), vo\.lost \(reads vo\.shown\)
-- as: shop_owner in shop
CREATE SCHEMA vo;
GRANT USAGE, CREATE ON SCHEMA vo TO analyst;
CREATE TABLE vo.shown (id int);
GRANT SELECT ON vo.shown TO analyst;
DO 'BEGIN FOR i IN 10..22 LOOP EXECUTE format(''CREATE VIEW vo.a%s AS SELECT id FROM vo.shown'', i); END LOOP; END';
-- as: analyst in shop
CREATE VIEW vo.lost AS SELECT id FROM vo.shown;
CREATE VIEW vo.above AS SELECT id FROM vo.lost;
-- as: shop_owner in shop
REVOKE SELECT ON vo.shown FROM analyst;
