-- trap: a policy that needs a setting of the session, the commonest pattern of applications with tenants
-- versions: 14 15 16 17
-- outcome: green
-- says: to read is not tried: .*public\.rs_docs \(42704
-- allowed: app | shop | SET app.tenant = '00000000-0000-0000-0000-000000000001'; SELECT * FROM rs_docs
-- as: shop_owner in shop
CREATE TABLE rs_docs (id int PRIMARY KEY, tenant uuid);
INSERT INTO rs_docs VALUES (1, '00000000-0000-0000-0000-000000000001');
ALTER TABLE rs_docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON rs_docs USING (tenant = current_setting('app.tenant')::uuid);
