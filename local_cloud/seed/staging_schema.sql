-- What the old target has: a table that must be gone after the restore, and kept in the final snapshot.
CREATE TABLE public.leftovers_of_last_sprint (id integer PRIMARY KEY, note text NOT NULL);
INSERT INTO public.leftovers_of_last_sprint SELECT n, 'tested by hand ' || n FROM generate_series(1, 25) AS n;
