-- trap: forced row-level security whose only policy is for production's login: the users see no rows
-- versions: 14 15 16 17
-- outcome: green
-- says: sees no rows through row-level security of .*public\.rf_hidden
-- as: shop_owner in shop
CREATE TABLE rf_hidden (id int PRIMARY KEY);
INSERT INTO rf_hidden VALUES (1);
ALTER TABLE rf_hidden ENABLE ROW LEVEL SECURITY;
ALTER TABLE rf_hidden FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON rf_hidden TO shop_owner USING (true);
