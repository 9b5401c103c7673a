/** What databases rarely hold, and dumps do; goes on top of the rich database. */
export const RICH_KINDS = `
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN app.short AS text COLLATE app.plain DEFAULT 'none' NOT NULL CONSTRAINT is_short CHECK (length(VALUE) < 40);
CREATE TYPE app.person AS (name app.short, pair app.pair, spans app.span[]);
CREATE FUNCTION app.same(a app.pair, b app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT (a).a = (b).a';
CREATE FUNCTION app.less(a app.pair, b app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT (a).a < (b).a';
CREATE FUNCTION app.order_of(a app.pair, b app.pair) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT coalesce((a).a, 0) - coalesce((b).a, 0)';
CREATE OPERATOR app.=== (LEFTARG = app.pair, RIGHTARG = app.pair, FUNCTION = app.same, COMMUTATOR = OPERATOR(app.===));
CREATE OPERATOR app.<<< (LEFTARG = app.pair, RIGHTARG = app.pair, FUNCTION = app.less);
CREATE OPERATOR FAMILY app.pairs USING btree;
CREATE OPERATOR CLASS app.by_number FOR TYPE app.pair USING btree FAMILY app.pairs AS
  OPERATOR 1 app.<<<, OPERATOR 3 app.===, FUNCTION 1 app.order_of(app.pair, app.pair);
CREATE FUNCTION app.number_of(app.pair) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT ($1).a';
CREATE CAST (app.pair AS integer) WITH FUNCTION app.number_of(app.pair) AS ASSIGNMENT;
CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TEXT SEARCH DICTIONARY app.plain_words (TEMPLATE = simple, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH app.plain_words, simple;
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION app.foo_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE TRUSTED LANGUAGE plfoo HANDLER app.foo_handler;
CREATE FUNCTION app.many(a integer, b text DEFAULT 'it''s $1', VARIADIC rest numeric[] DEFAULT '{}', OUT x integer, OUT y text)
  RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE COST 7 ROWS 3 SET work_mem = '5MB'
  AS $many$ BEGIN x := a; y := b; RETURN NEXT; END $many$;
CREATE FUNCTION app.mood_of(who integer) RETURNS app.mood LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT customers.mood FROM app.customers WHERE customers.id = who; END;
CREATE FUNCTION app.spare(app.person) RETURNS app.person LANGUAGE sql AS 'SELECT $1';
REVOKE EXECUTE ON FUNCTION app.spare(app.person) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.spare(app.person) TO auditor WITH GRANT OPTION;
GRANT USAGE ON TYPE app.person TO reader;
REVOKE USAGE ON LANGUAGE plfoo FROM PUBLIC;
CREATE AGGREGATE app.spread(ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal,
  FINALFUNC = percentile_cont_float8_final, FINALFUNC_EXTRA);

CREATE TABLE app.parents (id integer PRIMARY KEY, favourite integer, note app.short);
CREATE TABLE app.children (id integer PRIMARY KEY, parent integer NOT NULL
  REFERENCES app.parents ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE app.parents ADD CONSTRAINT fond FOREIGN KEY (favourite) REFERENCES app.children DEFERRABLE;
BEGIN; INSERT INTO app.parents VALUES (1, NULL, DEFAULT), (2, NULL, 'b');
INSERT INTO app.children VALUES (10, 1), (20, 2); UPDATE app.parents SET favourite = id * 10; COMMIT;
CREATE TABLE app.animals (id bigserial, name varchar(30) COMPRESSION pglz, weight numeric(5,2)) WITH (fillfactor = 70);
CREATE TABLE app.cats (lives smallint DEFAULT 9) INHERITS (app.animals);
INSERT INTO app.animals (name) VALUES ('snake'); INSERT INTO app.cats (name, weight) VALUES ('Minka', 4.25), (NULL, 'NaN');
CREATE TABLE app.halls (id uuid PRIMARY KEY, taken int4range, EXCLUDE USING gist (taken WITH &&));
INSERT INTO app.halls VALUES ('6f1c0c5e-0000-4000-8000-000000000001', '[1,5)'), ('6f1c0c5e-0000-4000-8000-000000000002', 'empty');
CREATE TABLE app.typed OF app.pair (a PRIMARY KEY);
INSERT INTO app.typed VALUES (1, 'one');
CREATE TABLE app.odds (
  t timestamp, tz timestamptz, i interval, d date, f4 real, f8 double precision, m money, b bit(5), vb bit varying, x xml,
  j json, c "char", n name, ip inet, mac macaddr, p point, poly polygon, tsv tsvector, q tsquery, o oid,
  who app.person, spans app.span[], deep integer[][], mr int4multirange, blank text, dropped integer, big text);
ALTER TABLE app.odds DROP COLUMN dropped;
ALTER TABLE app.odds ALTER big SET STORAGE EXTERNAL, ALTER t SET STATISTICS 500, ALTER f8 SET (n_distinct = -0.5);
INSERT INTO app.odds VALUES ('infinity', '2026-03-29 02:30:00+01', '-1 mons 2 days -03:04:05.678', '4713-01-01 BC', 'NaN', '-0',
  12.5, B'10110', B'1', '<a b="c">&amp;</a>', '{"b": 1,  "a": [], "b": 2}', E'\\x7f', 'name', '::1/128', '08:00:2b:01:02:03',
  '(1,2.5)', '((0,0),(1,1),(1,0))', 'fat:2A cat:1', 'fat & !cat', 4294967295, '("n","(1,x)","{""[1,2]""}")', '{"[0.1,0.2)",NULL}',
  '{{1,2},{3,NULL}}', '{[1,3),[5,7)}', E'\\\\N', repeat('x', 9000));
INSERT INTO app.odds DEFAULT VALUES;
CREATE UNLOGGED TABLE app.queue (id integer GENERATED BY DEFAULT AS IDENTITY (START 5 INCREMENT 3), what text);
INSERT INTO app.queue (what) VALUES ('a'), ('b');
CREATE SEQUENCE app.small AS smallint MINVALUE -5 MAXVALUE 5 START -5 CYCLE CACHE 2;
SELECT setval('app.small', 3, false);
CREATE TABLE app.visits (region text, at date, n integer) PARTITION BY LIST (region);
CREATE TABLE app.visits_eu PARTITION OF app.visits FOR VALUES IN ('eu', NULL) PARTITION BY HASH (n);
CREATE TABLE app.visits_eu0 PARTITION OF app.visits_eu FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.visits_eu1 PARTITION OF app.visits_eu FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE app.visits_us (n integer, region text, at date);
INSERT INTO app.visits_us VALUES (1, 'us', '2026-01-01');
ALTER TABLE app.visits ATTACH PARTITION app.visits_us FOR VALUES IN ('us');
INSERT INTO app.visits SELECT CASE i % 3 WHEN 0 THEN 'eu' WHEN 1 THEN 'us' END, '2026-02-01', i FROM generate_series(1, 60) i;
ALTER TABLE app.visits ADD CONSTRAINT few CHECK (n < 1000) NOT VALID;
ALTER TABLE app.log ADD CONSTRAINT wordy CHECK (line <> '') NOT VALID;
ALTER TABLE app.parents REPLICA IDENTITY FULL;
CREATE UNIQUE INDEX one_mood ON app.customers (mood, lower(name COLLATE "C") DESC NULLS LAST) INCLUDE (age) WHERE name <> '';
CREATE INDEX tags_in ON app.customers USING gin (tags) WITH (fastupdate = off);
CREATE INDEX by_pair ON app.customers (pair app.by_number);
CREATE INDEX by_day ON app.measures (date_trunc('month', at::timestamp));
ALTER INDEX app.by_day ALTER COLUMN 1 SET STATISTICS 50;
CLUSTER app.orders USING orders_pkey;
CREATE STATISTICS app.moods (ndistinct, mcv) ON mood, (lower(name)) FROM app.customers;
ALTER STATISTICS app.moods SET STATISTICS 200;

CREATE VIEW app.rich_people WITH (security_barrier = true) AS SELECT id, name FROM app.customers WHERE age > 10 WITH LOCAL CHECK OPTION;
CREATE RECURSIVE VIEW app.counting (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM counting WHERE n < 4;
CREATE VIEW app.joined AS SELECT c.name, sum(o.amount) AS "total (EUR)" FROM app.customers c JOIN app.orders o ON o.customer = c.id
  GROUP BY c.id HAVING count(*) > 1 ORDER BY 2;
CREATE MATERIALIZED VIEW app.later AS SELECT * FROM app.happy WITH NO DATA;
CREATE MATERIALIZED VIEW app.on_sums AS SELECT count(*) AS n FROM app.sums;
CREATE UNIQUE INDEX ON app.sums (customer);
CREATE FUNCTION app.instead() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER instead INSTEAD OF UPDATE ON app.joined FOR EACH ROW EXECUTE FUNCTION app.instead('an argument');
CREATE TRIGGER watch AFTER UPDATE ON app.log REFERENCING OLD TABLE AS was NEW TABLE AS is_now
  FOR EACH STATEMENT EXECUTE FUNCTION app.watch();
CREATE TRIGGER rise BEFORE UPDATE OF amount ON app.orders FOR EACH ROW WHEN (new.amount > old.amount)
  EXECUTE FUNCTION app.instead();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON app.orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.watch();
CREATE TRIGGER off BEFORE DELETE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.instead();
ALTER TABLE app.orders DISABLE TRIGGER off;
CREATE RULE say AS ON INSERT TO app.log WHERE new.line = 'say' DO ALSO SELECT new.line;
CREATE FUNCTION app.noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER notice_drops ON sql_drop WHEN TAG IN ('DROP TABLE', 'DROP VIEW') EXECUTE FUNCTION app.noticed();
CREATE POLICY hers ON app.customers AS RESTRICTIVE FOR UPDATE TO auditor USING (name = current_user) WITH CHECK (age > 1);

ALTER SERVER far OPTIONS (ADD host 'a b');
CREATE SERVER farther TYPE 'kind' VERSION '1.5' FOREIGN DATA WRAPPER nowhere;
CREATE USER MAPPING FOR PUBLIC SERVER farther;
CREATE FOREIGN TABLE app.away (id integer OPTIONS (key 'yes') NOT NULL, v text DEFAULT 'x') SERVER farther OPTIONS (name 'the "one"');
GRANT USAGE ON FOREIGN SERVER far TO reader;
CREATE PUBLICATION parts FOR TABLE app.orders (id, amount) WHERE (amount > 5), app.measures WITH (publish = 'insert', publish_via_partition_root = true);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA "Odd Schema" WITH (publish = 'insert');
GRANT USAGE, SELECT ON SEQUENCE app.lonely TO reader;
GRANT CREATE ON SCHEMA "Odd Schema" TO auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE "App Owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
COMMENT ON FUNCTION app.many(integer, text, numeric[]) IS E'does\\nmuch';
COMMENT ON TRIGGER late ON app.orders IS 'late';
COMMENT ON CONSTRAINT fond ON app.parents IS 'fond';
COMMENT ON POLICY hers ON app.customers IS 'hers';
COMMENT ON INDEX app.one_mood IS 'index';
COMMENT ON TYPE app.span IS 'span';
COMMENT ON EVENT TRIGGER notice_drops IS 'drops';
COMMENT ON STATISTICS app.moods IS 'moods';
COMMENT ON PUBLICATION parts IS 'some';
COMMENT ON SERVER far IS 'far';
COMMENT ON CAST (app.pair AS integer) IS 'cast';
COMMENT ON OPERATOR app.=== (app.pair, app.pair) IS 'same';
`;
