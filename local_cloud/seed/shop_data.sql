-- A few thousand rows, the same in every run.
SET ROLE app_owner;
SELECT setseed(0.42);

INSERT INTO crm.customers (full_name, email, phone, birth_date, street, city, country, created_at, attributes)
SELECT
    (ARRAY['Anna','Ben','Carla','David','Elif','Finn','Greta','Hugo','Ines','Jonas'])[1 + n % 10] || ' '
        || (ARRAY['Maier','Schulz','Rossi','Novak','Yilmaz','Dubois','Larsen'])[1 + n % 7],
    'customer' || n || '@example.com',
    '+49 30 ' || lpad((n * 7919 % 10000000)::text, 7, '0'),
    date '1950-01-01' + (n * 37 % 20000),
    'Example Street ' || n,
    (ARRAY['Berlin','Rome','Prague','Paris','Oslo'])[1 + n % 5],
    (ARRAY['DE','IT','CZ','FR','NO'])[1 + n % 5],
    timestamptz '2024-01-01 00:00:00Z' + n * interval '3 hours',
    jsonb_build_object('newsletter', n % 3 = 0, 'segment', n % 4)
FROM generate_series(1, 2000) AS n;

INSERT INTO shop.products (sku, title, price)
SELECT 'SKU-' || lpad(n::text, 5, '0'), 'Product ' || n, round((1 + random() * 199)::numeric, 2)
FROM generate_series(1, 200) AS n;

INSERT INTO shop.orders (customer_id, status, placed_at)
SELECT 1 + n * 13 % 2000, (enum_range(NULL::shop.order_status))[1 + n % 4],
    timestamptz '2025-01-01 00:00:00Z' + n * interval '67 minutes'
FROM generate_series(1, 5000) AS n;

INSERT INTO shop.order_items (order_id, line, product_id, quantity, price)
SELECT o.order_id, line, p.product_id, 1 + (o.order_id + line) % 5, p.price
FROM shop.orders AS o
CROSS JOIN generate_series(1, 3) AS line
JOIN shop.products AS p ON p.product_id = 1 + (o.order_id * line) % 200;

UPDATE shop.orders SET status = status;

INSERT INTO shop.payments (order_id, iban, amount, paid_at)
SELECT order_id, 'DE' || lpad((order_id * 104729)::text, 20, '0'), total, placed_at + interval '2 days'
FROM shop.orders WHERE status IN ('paid', 'shipped');

CREATE VIEW reporting.orders_per_customer AS
SELECT c.customer_id, c.full_name, count(o.order_id) AS orders, coalesce(sum(o.total), 0) AS revenue
FROM crm.customers AS c LEFT JOIN shop.orders AS o USING (customer_id)
GROUP BY c.customer_id;

CREATE MATERIALIZED VIEW reporting.revenue_per_month AS
SELECT date_trunc('month', placed_at) AS month, count(*) AS orders, sum(total) AS revenue
FROM shop.orders GROUP BY 1;
CREATE UNIQUE INDEX revenue_by_month ON reporting.revenue_per_month (month);
