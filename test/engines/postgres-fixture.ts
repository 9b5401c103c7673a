import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TargetOf } from '../../src/engines/engine.ts';
import { postgres } from '../../src/engines/postgres.ts';
import { quoteIdentifier, quoteText } from '../../src/engines/postgres/server/quote.ts';
import { type Connection, connectionOf, startedServices } from '../services/connection.ts';
import { psql } from '../services/postgres-psql.ts';
import type { EngineFixture } from './fixture.ts';
import { digestDatabase } from './postgres/digest.ts';

type Target = TargetOf<'postgres'>;

const SCHEMA = `
  CREATE TYPE level AS ENUM ('info', 'error');
  CREATE TABLE projects (id int PRIMARY KEY, name text NOT NULL UNIQUE);
  CREATE TABLE issues (project_id int NOT NULL REFERENCES projects, number int NOT NULL, title text,
    PRIMARY KEY (project_id, number));
  CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, project_id int REFERENCES projects, level level,
    payload bytea, size int GENERATED ALWAYS AS (length(payload)) STORED);
  CREATE INDEX ON events (level);
  CREATE SCHEMA "odd ""one""";
  CREATE TABLE "odd ""one"""."töble" ("a b" real, "c""d" text);
  CREATE TABLE measures (at date NOT NULL, value int) PARTITION BY RANGE (at);
  CREATE TABLE measures_old PARTITION OF measures FOR VALUES FROM ('2020-01-01') TO ('2025-01-01');
  CREATE TABLE measures_new PARTITION OF measures FOR VALUES FROM ('2025-01-01') TO ('2030-01-01');
  CREATE TABLE log (message text);
  CREATE VIEW errors AS SELECT * FROM events WHERE level = 'error';
  CREATE MATERIALIZED VIEW totals AS SELECT project_id, count(*) FROM events GROUP BY 1;
  CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO log VALUES ('event ' || new.id); RETURN new; END $$;
  CREATE TRIGGER events_log AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION note();
  COMMENT ON TABLE events IS 'what happened';`;

const rows = (bytes: number): string => `
  INSERT INTO projects VALUES (1, 'one'), (2, 'two');
  INSERT INTO issues VALUES (1, 1, 'first'), (1, 2, NULL), (2, 1, 'other');
  INSERT INTO "odd ""one"""."töble" VALUES (1.5, 'x'), (1.5, 'x'), (NULL, E'tab\\tnew\\nline \\\\.');
  INSERT INTO measures VALUES ('2024-02-29', 1), ('2026-11-19', 2);
  INSERT INTO events (project_id, level, payload)
    SELECT 1 + n % 2, (CASE n % 2 WHEN 0 THEN 'error' ELSE 'info' END)::level,
      (SELECT string_agg(sha512(format('%s %s', n, part)::bytea), '') FROM generate_series(1, ${Math.ceil(bytes / 64)}) part)
    FROM generate_series(0, 99) n;
  REFRESH MATERIALIZED VIEW totals;
  SELECT lo_from_bytea(4711, sha512('large'));`;

/** A name for a folder: databases of a test are told apart, and carry the odd characters of its folders. */
const databaseFor = (folder: string): string => {
  const unique = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  // Newer servers refuse line ends in names.
  return `${Array.from(basename(folder).replaceAll(/\s/g, ' ')).slice(0, 24).join('')} ${unique}`;
};

/** The server of a target, found by its port: also in processes that know nothing but the target. */
function serverOf({ port }: Target): Connection {
  const found = startedServices('postgres')
    .map(connectionOf)
    .find((server) => server['port'] === String(port));
  if (found === undefined) throw new Error(`no server on port ${port}`);
  return found;
}

/** A target of the suite is one database. */
const nameOf = ({ database }: Target): string => database ?? '';

const ask = (target: Target, sql: string): string => psql(serverOf(target), nameOf(target), sql);
const administer = (target: Target, sql: string): string => psql(serverOf(target), 'postgres', sql);

const exists = (target: Target): boolean =>
  administer(target, `SELECT count(*) FROM pg_database WHERE datname = ${quoteText(nameOf(target))}`) === '1';

function drop(target: Target): void {
  administer(target, `DROP DATABASE IF EXISTS ${quoteIdentifier(nameOf(target))} WITH (FORCE)`);
}

/** Everything that tests leave of a database, also what restores set aside. */
function dropAll(target: Target): void {
  const unique = nameOf(target).slice(-12);
  const names = administer(
    target,
    `SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE ${quoteText(`%${unique}%`)}`,
  );
  for (const name of names.split('\n').filter(Boolean))
    administer(target, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** Programs on PATH are Debian's: they are what a test can spoil, and too old for newer servers. */
const OWN_TOOLS = 'postgres-15';

export type Format = NonNullable<Target['format']>;

/** Where a cut leaves whole records: before the last block of data, the last file, the last section. */
const BOUNDARIES: Readonly<Record<Format, (raw: Buffer) => number>> = {
  custom: (raw) => raw.lastIndexOf(Buffer.from([0, 0, 0, 0, 0, 1, 0])) + 5,
  directory: (raw) => raw.lastIndexOf('ustar') - 257,
  tar: (raw) => raw.lastIndexOf('ustar') - 257,
  plain: (raw) => raw.lastIndexOf('\n--\n-- TOC entry ') + 1,
};

/** PostgreSQL on one of the servers of the run, dumped in one of the formats. */
export const fixtureOn = (service: string, format: Format = 'custom'): EngineFixture<'postgres'> => ({
  name: format === 'custom' ? service : `${service} ${format}`,
  engine: postgres,
  isPersistent: true,
  producer: service === OWN_TOOLS ? { tool: 'pg_dump', word: ` --format=${format} ` } : null,
  // What is merged from a script goes through no program.
  consumer: service === OWN_TOOLS && format !== 'plain' ? { tool: 'pg_restore', word: ' --no-subscriptions ' } : null,
  capturesByPath: format === 'directory',
  query: { sql: "SELECT count(*) FROM events WHERE level = 'error'", value: 50 },

  async make(folder, content) {
    const { host = '', port = '', user = '', password = '', bin = '' } = connectionOf(service);
    const tools = service === OWN_TOOLS ? {} : { tools: bin };
    const database = databaseFor(folder);
    const target = { type: 'postgres', host, port: Number(port), user, password, database, format, ...tools } as const;
    administer(target, `CREATE DATABASE ${quoteIdentifier(nameOf(target))} TEMPLATE template0`);
    onTestFinished(() => dropAll(target));
    if (content !== 'empty') ask(target, SCHEMA + rows(content === 'large' ? 100_000 : 256));
    return target;
  },

  elsewhere(target, folder) {
    const destination = { ...target, database: databaseFor(folder) };
    onTestFinished(() => dropAll(destination));
    return destination;
  },

  digest: async (target) => (exists(target) ? digestDatabase(serverOf(target), nameOf(target)) : 'absent'),

  async alter(target) {
    ask(
      target,
      `DELETE FROM events WHERE id = 13; DELETE FROM issues WHERE title = 'other';
       INSERT INTO projects VALUES (3, 'three') ON CONFLICT DO NOTHING`,
    );
  },

  async partsOf(target) {
    const [taken, added] = ask(
      target,
      `SELECT (SELECT count(*) FROM events WHERE id = 13) + (SELECT count(*) FROM issues WHERE title = 'other') = 2,
        EXISTS (SELECT FROM projects WHERE name = 'three')`,
    ).split('|');
    return { taken: taken === 't', added: added === 't' };
  },

  destroy: async (target) => drop(target),

  async forbid(target) {
    administer(target, `ALTER DATABASE ${quoteIdentifier(nameOf(target))} ALLOW_CONNECTIONS false`);
  },

  handEnvironment: ({ password = '', tools }) => ({
    PGPASSWORD: password,
    ...(tools === undefined ? {} : { PATH: `${tools}:${process.env['PATH']}` }),
  }),

  recordBoundary: BOUNDARIES[format],
});

export const postgresFixture: EngineFixture<'postgres'> = fixtureOn('postgres-15');
