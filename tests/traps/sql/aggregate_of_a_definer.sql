-- trap: an aggregate whose function runs with its owner's rights, which no right to run it guards
-- versions: 14 15 16 17
-- outcome: green
-- says: shop: logs in, can read, cannot write
-- refused: reader | shop | SET default_transaction_read_only = off; SELECT ad_bumps(1)
-- as: shop_owner in shop
CREATE FUNCTION ad_bump(int, int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    AS 'BEGIN INSERT INTO public.customers (name) VALUES (''bumped''); RETURN 1; END';
CREATE AGGREGATE ad_bumps(int) (sfunc = ad_bump, stype = int, initcond = '0');
