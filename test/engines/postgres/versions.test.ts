import { describe, expect, onTestFinished, test } from 'vitest';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { type Connection, connectionOf, startedServices } from '../../services/connection.ts';
import { createDatabase, dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testContext } from '../../test-context.ts';
import { fixtureOn } from '../postgres-fixture.ts';
import { newRepository, restore, take } from '../workbench.ts';
import { BANK, bankBalance, openBankWriters } from './bank.ts';
import { describeCanonically } from './canonical.ts';
import { RICH, RICH_ROLES, richProperties } from './rich-database.ts';
import { RICH_KINDS } from './rich-kinds.ts';

const started = startedServices('postgres');
const FORMATS = ['custom', 'directory', 'tar', 'plain'] as const;
const pairs = started.flatMap((from, index) => started.slice(index).map((to) => [from, to] as const));

function targetOn(server: Connection, database: string): TargetOf<'postgres'> {
  const { host = '', port = '', user = '', password = '', bin = '' } = server;
  return { type: 'postgres', host, port: Number(port), user, password, database, tools: bin };
}

/** The rich database with all its kinds, and a bank. */
function makeRich(server: Connection, database: string): void {
  createDatabase(server, database);
  onTestFinished(() => dropDatabase(server, database));
  psql(server, database, RICH + RICH_KINDS + BANK);
  psql(server, 'postgres', richProperties(database));
}

describe.each(pairs)('a database of %s', (from, to) => {
  test.each(FORMATS)(`comes back on ${to} as it was, captured while others write (%s)`, async (format) => {
    const { context, folder } = await testContext();
    const [source, destination] = [connectionOf(from), connectionOf(to)];
    const names = [`versions ${from} ${to}`, `versions back ${from}`] as const;
    for (const server of [source, destination]) psql(server, 'postgres', RICH_ROLES);
    makeRich(source, names[0]);
    const before = describeCanonically(source, names[0]);
    // Several programs at once see one snapshot, too.
    const jobs = format === 'directory' ? { jobs: 2 } : {};
    const target = { ...targetOn(source, names[0]), format, ...jobs };
    const writers = await openBankWriters(target);
    const repository = await newRepository(folder, context);
    const written = writers.transfers();
    const taken = await take(fixtureOn(from), target, repository, context);
    const during = writers.transfers() - written;
    await writers.stop();
    expect(during).toBeGreaterThan(10);

    const copy = { ...targetOn(destination, names[1]), ...jobs };
    onTestFinished(() => dropDatabase(destination, names[1]));
    const outcome = await restore(fixtureOn(to), taken, copy, 'new', context);
    expect(outcome).toMatchObject({ facts: taken.facts, conflicts: [], warnings: [] });
    // What belongs to the database itself is in no script, as the capture says.
    if (format === 'plain') psql(destination, 'postgres', richProperties(names[1]));
    expect(describeCanonically(destination, names[1])).toBe(before);
    const { lefts, rights, unpaired, money } = bankBalance(destination, names[1]);
    expect({ lefts, rights, unpaired, money }).toEqual({ lefts: rights, rights, unpaired: 0, money: 100_000 });
    expect(taken.facts).toMatchObject({ tables: { 'bank.lefts': lefts, 'bank.rights': rights } });
    const goesOn = 'SELECT last_value >= (SELECT max(id) FROM bank.lefts) FROM bank.lefts_id_seq';
    expect(psql(destination, names[1], goesOn)).toBe('t');
    expect(lefts).toBeLessThan(bankBalance(source, names[0]).lefts);
  });
});

test('what differs shows', () => {
  const server = connectionOf('postgres-15');
  psql(server, 'postgres', RICH_ROLES);
  makeRich(server, 'versions differ');
  const before = describeCanonically(server, 'versions differ');
  const changes = [
    `UPDATE app.odds SET f8 = 0.0 WHERE f8 IS NOT NULL`,
    `SELECT nextval('app.small')`,
    `SELECT lo_put(4242, 5, 'x')`,
    `COMMENT ON CONSTRAINT fond ON app.parents IS 'not fond'`,
    `GRANT SELECT ON app.orders TO auditor`,
    `ALTER TABLE app.orders ENABLE TRIGGER off`,
    `ALTER FOREIGN TABLE app.away OPTIONS (SET name 'other')`,
    `ALTER TABLE app.log VALIDATE CONSTRAINT wordy`,
    `ALTER DATABASE "versions differ" SET work_mem = '9MB'`,
    `ALTER FUNCTION app.twice COST 5`,
    `ALTER TABLE app.odds ALTER blank SET STATISTICS 7`,
    `CREATE OR REPLACE VIEW app.happy AS SELECT * FROM app.customers WHERE mood = 'sad'`,
    `ALTER DOMAIN app.short DROP DEFAULT`,
    `ALTER USER MAPPING FOR reader SERVER far OPTIONS (SET password 'other')`,
  ];
  const seen = new Set([before]);
  for (const [index, change] of changes.entries()) {
    psql(server, 'versions differ', change);
    seen.add(describeCanonically(server, 'versions differ'));
    expect(seen.size, change).toBe(index + 2);
  }
});
