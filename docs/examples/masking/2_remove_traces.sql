-- What the first script replaced is still in the tables' files as dead rows, and in the planner's statistics (pg_stats
-- shows them to whoever may read the table). CLUSTER writes the tables and their indexes anew, without dead rows; it must
-- be a script of its own, since rows count as dead only after the transaction that replaced them.
CLUSTER crm.customers USING customers_pkey;
CLUSTER shop.payments USING payments_pkey;
ANALYZE crm.customers;
ANALYZE shop.payments;

-- Copies of the data: materialized views.
REFRESH MATERIALIZED VIEW reporting.revenue_per_month;
