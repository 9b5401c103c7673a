import { describe, expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { RestoreRequest } from '../../../src/engines/engine.ts';
import { connectAdmin } from '../../../src/engines/postgres/server/admin-session.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { replaceInPlace } from '../../../src/engines/postgres/restore/replace-in-place.ts';
import { postgres } from '../../../src/engines/postgres.ts';
import { openToolFinder } from '../../../src/engines/postgres/server/tools.ts';
import { type Connection, connectionOf, servicesToTry } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testContext } from '../../test-context.ts';
import { fixtureOn } from '../postgres-fixture.ts';
import { incoming, newRepository, SNAPSHOT, type Taken, take } from '../workbench.ts';
import { describeCanonically } from './canonical.ts';
import { RICH, RICH_ROLES, richProperties } from './rich-database.ts';
import { RICH_KINDS } from './rich-kinds.ts';

const FORMATS = ['custom', 'directory', 'tar', 'plain'] as const;
const cases = servicesToTry('postgres').flatMap((service) => FORMATS.map((format) => [service, format] as const));

interface Rich {
  readonly server: Connection;
  readonly name: string;
  readonly target: PostgresTarget;
  readonly taken: Taken;
  readonly before: string;
  readonly context: Context;
}

async function takeRich(service: string, format: (typeof FORMATS)[number]): Promise<Rich> {
  const { context, folder } = await testContext();
  const server = connectionOf(service);
  const name = `rv_${service}_${format}`;
  const { host = '', port = '', user = '', password = '', bin = '' } = server;
  const target = { type: 'postgres', host, port: Number(port), user, password, database: name, tools: bin } as const;
  psql(server, 'postgres', RICH_ROLES);
  createDatabase(server, name);
  onTestFinished(() => dropDatabase(server, name));
  psql(server, name, RICH + RICH_KINDS);
  psql(server, 'postgres', richProperties(name));
  const taken = await take(fixtureOn(service), { ...target, format }, await newRepository(folder, context), context);
  return { server, name, target, taken, before: describeCanonically(server, name), context };
}

const requestOf = ({ target, taken, context }: Rich): Omit<RestoreRequest<PostgresTarget>, 'mode'> => ({
  destination: target,
  artifacts: incoming(taken, context),
  paths: [],
  skipConflicts: false,
  noOwner: false,
  expectedFacts: taken.facts,
  snapshot: SNAPSHOT,
});

const HARM = `ALTER TABLE app.log REPLICA IDENTITY FULL; UPDATE app.log SET line = line || '!'; ALTER TABLE app.log REPLICA IDENTITY DEFAULT;
  DELETE FROM app.orders WHERE id > 100; DROP VIEW app.joined; SELECT lo_unlink(4243); DROP TABLE app.halls; SELECT setval('app.lonely', 1000)`;

describe.each(cases)('on %s, a dump of the format %s', (service, format) => {
  test('takes the place of a database where it stands', async () => {
    const rich = await takeRich(service, format);
    psql(rich.server, rich.name, HARM);
    const admin = await connectAdmin(rich.target, rich.context);
    try {
      const major = Number(service.split('-')[1]);
      const { program } = await openToolFinder(rich.target, rich.context).fitting('pg_restore', major);
      const request = { ...requestOf(rich), mode: 'replace' as const };
      const running = replaceInPlace({ request, program, unowned: null }, admin, rich.context);
      if (format === 'plain') {
        await expect(running).rejects.toMatchObject({ code: 'target' });
        return;
      }
      expect(await running).toMatchObject({ facts: rich.taken.facts, warnings: [] });
    } finally {
      await admin.close();
    }
    expect(describeCanonically(rich.server, rich.name)).toBe(rich.before);
  });

  test('gives single schemas and tables', async () => {
    const rich = await takeRich(service, format);
    psql(rich.server, rich.name, HARM);
    const chosen = {
      ...requestOf(rich),
      paths: ['app', '"Odd Schema"'],
      expectedFacts: null,
      artifactFacts: rich.taken.facts,
    };
    const outcome = await postgres.restore({ ...chosen, mode: 'replace' }, rich.context);
    expect(outcome.restored).toMatchObject({ 'table app.orders': 500, 'table app.log': 100 });
    psql(rich.server, rich.name, 'SELECT lo_create(4243)');
    expect(describeCanonically(rich.server, rich.name)).toBe(rich.before);
    const fresh = `${rich.name}_fresh`;
    onTestFinished(() => dropDatabase(rich.server, fresh));
    const destination = { ...rich.target, database: fresh };
    const made = await postgres.restore({ ...chosen, destination, mode: 'new', paths: ['app.visits'] }, rich.context);
    expect(Object.values(made.restored).reduce((sum: number, rows) => sum + Number(rows), 0)).toBe(61);
    expect(psql(rich.server, fresh, 'SELECT count(*) FROM app.visits')).toBe('61');
  });

  test('adds what is missing', async () => {
    const rich = await takeRich(service, format);
    psql(
      rich.server,
      rich.name,
      `DELETE FROM app.orders WHERE id > 100; DROP TABLE app.halls; SELECT lo_unlink(4242); DROP SEQUENCE app.lonely; DROP INDEX app.tags_in`,
    );
    const outcome = await postgres.restore({ ...requestOf(rich), mode: 'merge' }, rich.context);
    expect(outcome.restored).toEqual({ 'table app.orders': 400, 'table app.halls': 2, 'large objects': 1 });
    expect(outcome.warnings).toEqual([expect.stringContaining('index app.tags_in is missing: CREATE INDEX tags_in')]);
    psql(rich.server, rich.name, 'CREATE INDEX tags_in ON app.customers USING gin (tags) WITH (fastupdate = off)');
    expect(describeCanonically(rich.server, rich.name)).toBe(rich.before);
  });
});
