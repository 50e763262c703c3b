-- trap: a table with more partitions than the server may have locks for
-- versions: 14 15 16 17
-- outcome: green
-- says: not tried: .*public\.mp_events \(600 partitions\)
-- as: shop_owner in shop
CREATE TABLE mp_events (id int PRIMARY KEY) PARTITION BY RANGE (id);
-- as: shop_owner in shop
DO $$ BEGIN FOR n IN 1 .. 600 LOOP
    EXECUTE format('CREATE TABLE mp_events_%s PARTITION OF mp_events FOR VALUES FROM (%s) TO (%s)', n, n, n + 1);
    COMMIT;
END LOOP; END $$;
