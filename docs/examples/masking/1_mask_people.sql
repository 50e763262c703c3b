-- Personal data of the shop, replaced. What identifies a row (its id) stays, so that orders still find their customers.
-- Pseudonyms are made of the id, not of the data: a hash of an e-mail address is found again by hashing addresses.
UPDATE crm.customers SET
    full_name = 'Customer ' || customer_id,
    email = 'customer' || customer_id || '@example.invalid',
    phone = NULL,
    birth_date = date_trunc('year', birth_date)::date,
    street = NULL,
    city = NULL,
    -- Only the keys that are known to be harmless: production may have added others since.
    attributes = jsonb_strip_nulls(jsonb_build_object(
        'newsletter', attributes -> 'newsletter',
        'segment', attributes -> 'segment'
    ));

UPDATE shop.payments SET iban = 'XX00' || lpad(payment_id::text, 18, '0');
