-- trap: a view of the master's over rows that a policy shows the master only: the copy's owner of the view sees none, and nobody through it
-- versions: 14 15 16 17
-- outcome: green
-- says: shows no rows, through row-level security for its owner: vh\.above \(reads vh\.docs\), vh\.seen \(reads vh\.docs\)
-- as: shop_owner in shop
CREATE SCHEMA vh;
GRANT USAGE, CREATE ON SCHEMA vh TO dba;
CREATE TABLE vh.docs (id int);
INSERT INTO vh.docs VALUES (1);
ALTER TABLE vh.docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY master_only ON vh.docs TO dba USING (true);
GRANT SELECT ON vh.docs TO dba;
-- as: dba in shop
CREATE VIEW vh.seen AS SELECT * FROM vh.docs;
CREATE VIEW vh.above AS SELECT * FROM vh.seen;
