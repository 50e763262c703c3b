-- Production's own logins. Their passwords come from the environment; none of them may work in a copy.
CREATE ROLE app_owner NOLOGIN;
CREATE ROLE shop_app LOGIN PASSWORD :'shop_app_password';
CREATE ROLE analyst LOGIN PASSWORD :'analyst_password';
CREATE ROLE batch_admin LOGIN CREATEROLE CREATEDB PASSWORD :'batch_admin_password';
GRANT app_owner TO master, batch_admin;
