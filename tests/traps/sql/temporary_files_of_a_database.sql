-- trap: sessions of a database may have no temporary files, and hardly any memory
-- versions: 14 15 16 17
-- outcome: green
-- says: tf_files: logs in, can read, .*sessions have limits that are not the user's own: temp_file_limit=0
-- as: superuser in postgres
CREATE DATABASE tf_files OWNER shop_owner;
-- as: superuser in postgres
ALTER DATABASE tf_files SET temp_file_limit = 0;
ALTER DATABASE tf_files SET work_mem = '64kB';
-- as: shop_owner in tf_files
CREATE TABLE public.tf_table (id int);
