-- A small shop as production has it: several schemas and owners, sequences, views, functions, triggers.
GRANT CREATE ON DATABASE shop TO app_owner;
GRANT USAGE, CREATE ON SCHEMA public TO app_owner;
SET ROLE app_owner;

CREATE SCHEMA shop;
CREATE SCHEMA crm;
CREATE SCHEMA reporting;
GRANT USAGE ON SCHEMA shop, crm TO shop_app;
GRANT USAGE ON SCHEMA reporting TO analyst;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT USAGE, SELECT ON SEQUENCES TO shop_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO analyst;

CREATE TYPE shop.order_status AS ENUM ('placed', 'paid', 'shipped', 'returned');
CREATE DOMAIN crm.email AS text CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');
CREATE SEQUENCE shop.order_number START 100000 INCREMENT 7;

CREATE TABLE crm.customers (
    customer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    full_name text NOT NULL,
    email crm.email NOT NULL UNIQUE,
    phone text,
    birth_date date,
    street text,
    city text,
    country char(2) NOT NULL DEFAULT 'DE',
    created_at timestamptz NOT NULL DEFAULT now(),
    attributes jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE shop.products (
    product_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sku text NOT NULL UNIQUE,
    title text NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price > 0)
);

CREATE TABLE shop.orders (
    order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_number bigint NOT NULL DEFAULT nextval('shop.order_number') UNIQUE,
    customer_id bigint NOT NULL REFERENCES crm.customers,
    status shop.order_status NOT NULL DEFAULT 'placed',
    placed_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    total numeric(12, 2) NOT NULL DEFAULT 0
);

CREATE TABLE shop.order_items (
    order_id bigint NOT NULL REFERENCES shop.orders ON DELETE CASCADE,
    line smallint NOT NULL,
    product_id integer NOT NULL REFERENCES shop.products,
    quantity smallint NOT NULL CHECK (quantity > 0),
    price numeric(10, 2) NOT NULL,
    PRIMARY KEY (order_id, line)
);

CREATE TABLE shop.payments (
    payment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES shop.orders,
    iban text NOT NULL,
    amount numeric(12, 2) NOT NULL,
    paid_at timestamptz NOT NULL
);

CREATE INDEX orders_by_customer ON shop.orders (customer_id, placed_at);
CREATE INDEX customers_by_name ON crm.customers (lower(full_name));

CREATE FUNCTION shop.order_total(of_order bigint) RETURNS numeric
    LANGUAGE sql STABLE SET search_path = shop
    AS $$ SELECT coalesce(sum(quantity * price), 0) FROM order_items WHERE order_id = of_order $$;

CREATE FUNCTION shop.keep_order_current() RETURNS trigger
    LANGUAGE plpgsql SET search_path = shop
    AS $$
BEGIN
    NEW.changed_at := now();
    NEW.total := order_total(NEW.order_id);
    RETURN NEW;
END
$$;

CREATE TRIGGER orders_current BEFORE UPDATE ON shop.orders
    FOR EACH ROW EXECUTE FUNCTION shop.keep_order_current();
