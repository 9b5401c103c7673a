/** Roles that the rich database needs; they belong to the server, and stay. */
export const RICH_ROLES = `
DO $$ BEGIN CREATE ROLE "App Owner" LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE reader; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE auditor; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
`;

/** Something of every kind that a dump holds. */
export const RICH = `
CREATE SCHEMA app AUTHORIZATION "App Owner";
CREATE SCHEMA "Odd Schema";
CREATE EXTENSION hstore SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN app.positive AS integer CHECK (VALUE > 0);
CREATE TYPE app.pair AS (a integer, b text);
CREATE COLLATION app.plain FROM "C";
CREATE SEQUENCE app.lonely START 10 INCREMENT 5;
SELECT nextval('app.lonely'), nextval('app.lonely');
CREATE SEQUENCE app.untouched;
CREATE FUNCTION app.twice(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Name: nothing; Type: TABLE; Schema: none; Owner: nobody_at_all
  NEW.note := coalesce(NEW.note, '') || '!';
  RETURN NEW;
END $$;
CREATE PROCEDURE app.nothing() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TABLE app.customers (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE app.plain NOT NULL UNIQUE,
  mood app.mood DEFAULT 'ok', age app.positive, pair app.pair,
  doubled integer GENERATED ALWAYS AS (app.twice(age)) STORED,
  tags text[], doc jsonb, raw bytea, extra app.hstore, note text);
INSERT INTO app.customers (name, age, pair, tags, doc, raw, extra, note) VALUES
  ('Ada', 36, '(1,"x, y")', '{a,"b c",NULL}', '{"k": [1, 2.50]}', '\\x00ff0a5c', 'a=>1', E'tab\\there\\nline \\\\. end'),
  ('', 1, NULL, '{}', 'null', '', '', ''),
  ('Žofie 😀', NULL, '(,)', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE app.orders (id serial PRIMARY KEY, customer integer REFERENCES app.customers ON DELETE CASCADE,
  amount numeric(20,4), at timestamptz DEFAULT '2026-01-02 03:04:05+00');
INSERT INTO app.orders (customer, amount) SELECT 1 + i % 3, i / 7.0 FROM generate_series(1, 500) i;
CREATE INDEX orders_amount ON app.orders (amount) WHERE amount > 10;
CREATE STATISTICS app.orders_stats (dependencies) ON customer, amount FROM app.orders;
CREATE TABLE app.log (line text);
INSERT INTO app.log SELECT 'line ' || i % 40 FROM generate_series(1, 100) i;
CREATE TABLE app.measures (at date NOT NULL, value double precision) PARTITION BY RANGE (at);
CREATE TABLE app.measures_a PARTITION OF app.measures FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE app.measures_b PARTITION OF app.measures DEFAULT;
INSERT INTO app.measures SELECT '2026-01-01'::date + i, i / 3.0 FROM generate_series(1, 365) i;
CREATE INDEX ON app.measures (at);
CREATE UNLOGGED TABLE app.cache (k text PRIMARY KEY, v text);
INSERT INTO app.cache VALUES ('a', 'b');
CREATE TABLE "Odd Schema"."Odd ""Table""" ("Odd Column" integer);
INSERT INTO "Odd Schema"."Odd ""Table""" VALUES (1), (1), (NULL);
CREATE VIEW app.happy AS SELECT * FROM app.customers WHERE mood = 'happy';
CREATE MATERIALIZED VIEW app.sums AS SELECT customer, sum(amount) FROM app.orders GROUP BY 1;
CREATE TRIGGER stamp BEFORE INSERT ON app.customers FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE TRIGGER stamp_always BEFORE UPDATE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.stamp();
ALTER TABLE app.customers ENABLE ALWAYS TRIGGER stamp;
CREATE RULE keep AS ON DELETE TO app.cache DO INSTEAD NOTHING;
ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.orders FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON app.orders FOR SELECT TO reader, auditor USING (amount < 20);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER far FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR reader SERVER far OPTIONS (password 'fdw secret');
CREATE PUBLICATION changes FOR TABLE app.log;
SELECT lo_create(4242), lo_put(4242, 0, convert_to(repeat('large object ', 4000), 'UTF8'));
SELECT lo_create(4243);
ALTER LARGE OBJECT 4242 OWNER TO "App Owner";
GRANT SELECT ON LARGE OBJECT 4242 TO reader;
COMMENT ON LARGE OBJECT 4242 IS 'large';
COMMENT ON TABLE app.customers IS 'people; who -- pay';
COMMENT ON COLUMN app.customers.name IS 'theirs';
GRANT USAGE ON SCHEMA app TO reader;
GRANT SELECT, INSERT (name) ON app.customers TO reader WITH GRANT OPTION;
ALTER TABLE app.orders OWNER TO "App Owner";
ALTER DEFAULT PRIVILEGES FOR ROLE "App Owner" IN SCHEMA app GRANT SELECT ON TABLES TO auditor;
`;

/** Settings, rights and comment of the database itself. */
export const richProperties = (database: string): string => `
ALTER DATABASE "${database}" OWNER TO "App Owner";
ALTER DATABASE "${database}" SET search_path TO "$user", app, 'Odd Schema';
ALTER DATABASE "${database}" SET "app.motto" TO 'a = b; ''c''';
ALTER DATABASE "${database}" SET timezone TO 'Europe/Berlin';
ALTER ROLE reader IN DATABASE "${database}" SET work_mem TO '5MB';
REVOKE ALL ON DATABASE "${database}" FROM PUBLIC;
GRANT CONNECT ON DATABASE "${database}" TO reader WITH GRANT OPTION;
ALTER DATABASE "${database}" CONNECTION LIMIT 42;
COMMENT ON DATABASE "${database}" IS 'the rich one
with a second line';
`;
