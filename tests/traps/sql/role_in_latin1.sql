-- trap: a role whose name has bytes of LATIN1, made in a database without encoding
-- versions: 14 15 16 17
-- outcome: refused
-- says: b'Jos\\xe9' in the answer to the .* in database postgres.*rename that role
-- as: superuser in postgres
CREATE DATABASE la_old TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C';
-- as: superuser in la_old, in latin1
CREATE ROLE "José";
