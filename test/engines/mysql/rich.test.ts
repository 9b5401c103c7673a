import { describe, expect, it } from 'vitest';
import { mysql } from '../../../src/engines/mysql.ts';
import { servicesToTry } from '../../services/connection.ts';
import { describeDatabase } from './digest.ts';
import { oneDatabase } from './one-database.ts';
import { FACTS, RICH, RICH_MARIADB } from './rich.ts';

const services = [...servicesToTry('mariadb'), ...servicesToTry('mysql')];

describe.each(services)('everything that %s keeps', (service) => {
  const isMariadb = service.startsWith('mariadb');
  const facts = isMariadb ? { ...FACTS, tables: { ...FACTS.tables, versions: 2 }, sequences: 1 } : FACTS;
  const contents = isMariadb ? RICH + RICH_MARIADB : RICH;

  it('is counted in the dump and comes back in another place', async () => {
    const bench = await oneDatabase(contents, service);
    const taken = await bench.take();
    expect(taken.facts).toMatchObject(facts);
    await bench.restore(taken, 'new', { destination: bench.elsewhere });
    expect(describeDatabase(bench.connection, bench.elsewhere.database)).toBe(
      describeDatabase(bench.connection, bench.target.database),
    );
    const sums = (database: string): string =>
      bench
        .ask('CHECKSUM TABLE kinds, loose, fleeting, parents, parted, node EXTENDED', database)
        .replaceAll(database, '');
    expect(sums(bench.elsewhere.database)).toBe(sums(bench.target.database));
  });

  it('takes the place of what was changed, and the old state keeps all of it', async () => {
    const bench = await oneDatabase(contents, service);
    const { database } = bench.target;
    const before = describeDatabase(bench.connection, database);
    const taken = await bench.take();
    bench.ask(
      "DELETE FROM kinds; DROP TABLE loose; CREATE TABLE fresh (a int); DROP VIEW aa; INSERT INTO parents VALUES (9, 'n')",
    );
    const changed = describeDatabase(bench.connection, database);
    const { keptOld } = await bench.restore(taken, 'replace');
    expect(describeDatabase(bench.connection, database)).toBe(before);
    const old = keptOld[0]?.reference ?? '';
    const asleep = (dump: string): string => dump.replace(/(ON COMPLETION NOT PRESERVE) (?:ENABLE|DISABLE)/, '$1');
    expect(asleep(describeDatabase(bench.connection, old))).toBe(asleep(changed));
    expect(bench.ask('SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()', old)).toBe(
      'DISABLED',
    );
    bench.ask('INSERT INTO parents VALUES (10, NULL); INSERT INTO node VALUES (5, 1)');
    expect(bench.ask('SELECT name FROM parents WHERE id = 10')).toBe("it's; new");
    expect(() => bench.ask('INSERT INTO node VALUES (6, 99)')).toThrow(/foreign key/);
  });

  it('comes back where rows, tables and definitions are gone', async () => {
    const bench = await oneDatabase(contents, service);
    const { database } = bench.target;
    const before = describeDatabase(bench.connection, database);
    const taken = await bench.take();
    bench.ask(`DELETE FROM kinds WHERE id > 1; DELETE FROM loose LIMIT 1; DROP TABLE parted; DROP VIEW aa; DROP VIEW zz;
      DROP TRIGGER parents_in; DROP PROCEDURE walk; DROP EVENT sweep; DELETE FROM node WHERE id = 3`);
    const outcome = await bench.restore(taken, 'merge');
    expect(outcome).toMatchObject({
      conflicts: [],
      restored: { 'table kinds': 2, 'table loose': 1, 'table node': 1, 'table parted': 2 },
    });
    const sorted = (dump: string): readonly string[] => dump.split('\n').toSorted();
    expect(sorted(describeDatabase(bench.connection, database))).toEqual(sorted(before));
  });

  if (!isMariadb)
    it('is not dumped by the program of MariaDB, whose rows of computed columns do not restore', async () => {
      const bench = await oneDatabase(contents, service);
      const { problems } = await mysql.probe({ ...bench.target, tools: '/usr/bin' }, bench.context);
      expect(problems).toMatchObject([{ message: expect.stringContaining('is that of MariaDB') as unknown }]);
    });

  it('is told where a dump or a moment cannot hold it', async () => {
    const bench = await oneDatabase(
      `${contents}; CREATE TABLE floats (a float); INSERT INTO floats VALUES (0.142857149)`,
      service,
    );
    const { problems, warnings } = await mysql.probe(bench.target, bench.context);
    expect(problems).toEqual([]);
    expect(warnings.map(({ message }) => message)).toEqual([
      'tables without transactions are not from the moment of the others: fleeting, loose',
      ...(isMariadb ? ['the history of versioned tables is not in the dump, only their rows of today: versions'] : []),
      'a dump has 6 digits of FLOAT columns: floats',
    ]);
    const locked = await mysql.probe({ ...bench.target, lock: true }, bench.context);
    expect(locked.warnings.map(({ message }) => message).join()).not.toContain('without transactions');
  });
});
