-- trap: an owner that logs in with tokens of IAM, so that whoever is a member of it has no password
-- versions: 14 15 16 17
-- outcome: green
-- says: shop: logs in
-- allowed: devops | shop | ALTER TABLE ot_owned.t ADD COLUMN n int
-- as: dba in postgres
CREATE ROLE ot_owner LOGIN;
GRANT rds_iam TO ot_owner;
-- as: superuser in shop
CREATE SCHEMA ot_owned AUTHORIZATION ot_owner;
CREATE TABLE ot_owned.t (id int PRIMARY KEY);
ALTER TABLE ot_owned.t OWNER TO ot_owner;
