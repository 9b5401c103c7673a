import { describe, expect, test } from 'vitest';
import { makePlace } from './sqlite-places.ts';

describe('conflicts of a merge', () => {
  test('a row that breaks another rule rolls everything back, or stays out', async () => {
    const place = await makePlace(
      'CREATE TABLE u (id INTEGER PRIMARY KEY, mail UNIQUE); CREATE TABLE v (id INTEGER PRIMARY KEY)',
      "INSERT INTO u VALUES (1, 'a@x'), (2, 'b@x'); INSERT INTO v VALUES (1)",
    );
    const taken = await place.take();
    place.run("DELETE FROM u; DELETE FROM v; INSERT INTO u VALUES (7, 'a@x')");
    const error = await place.restore(taken, 'merge').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'target', hint: expect.stringContaining('--skip-conflicts') as unknown });
    expect(String(error)).toContain('table u: 1 row breaks a rule of the table that is there (id 1)');
    expect(String(error)).not.toContain('a@x');
    expect(place.rows('SELECT count(*) FROM v')).toEqual([[0]]);
    const skipped = await place.restore(taken, 'merge', { skipConflicts: true });
    expect(skipped).toMatchObject({ restored: { 'table u': 1, 'table v': 1 } });
    expect(skipped.conflicts).toHaveLength(1);
    expect(place.rows('SELECT id, mail FROM u ORDER BY id')).toEqual([
      [2, 'b@x'],
      [7, 'a@x'],
    ]);
  });

  const family = `CREATE TABLE a (id INTEGER PRIMARY KEY, name UNIQUE);
    CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a);
    CREATE TABLE c (id PRIMARY KEY, b REFERENCES b (id)) WITHOUT ROWID;
    CREATE TABLE d (c REFERENCES c); CREATE TABLE e (gone REFERENCES nowhere);
    INSERT INTO a VALUES (1, 'one'), (2, 'two'); INSERT INTO b VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2);
    INSERT INTO d VALUES (1), (2)`;

  test('rows whose parent cannot come back stay out, down to the last of them', async () => {
    const place = await makePlace(family);
    const taken = await place.take();
    place.run("DELETE FROM d; DELETE FROM c; DELETE FROM b; DELETE FROM a; INSERT INTO a VALUES (9, 'one')");
    await expect(place.restore(taken, 'merge')).rejects.toThrow(
      'table a: 1 row breaks a rule of the table that is there (id 1); table b: 1 row refers to rows that are not there; ' +
        'table c: 1 row refers to rows that are not there; table d: 1 row refers to rows that are not there',
    );
    expect(place.rows('SELECT count(*) FROM b')).toEqual([[0]]);
    const { restored, conflicts } = await place.restore(taken, 'merge', { skipConflicts: true });
    expect(conflicts).toHaveLength(4);
    expect(restored).toMatchObject({ 'table a': 1, 'table b': 1, 'table c': 1, 'table d': 1 });
    expect(place.rows('PRAGMA foreign_key_check')).toEqual([]);
    expect(place.rows('SELECT * FROM c')).toEqual([[2, 2]]);
  });

  test('a column named rowid is not taken for the id of a row', async () => {
    const place = await makePlace(
      'CREATE TABLE p (id INTEGER PRIMARY KEY, u UNIQUE); CREATE TABLE c (rowid TEXT, p REFERENCES p)',
      "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES ('x', 1), ('y', NULL)",
    );
    const taken = await place.take();
    place.run('PRAGMA foreign_keys = 0; DELETE FROM p; DELETE FROM c; INSERT INTO p VALUES (2, 1)');
    await place.restore(taken, 'merge', { skipConflicts: true });
    expect(place.rows('SELECT * FROM c')).toEqual([['y', null]]);
  });

  test("rows that were orphans already are nobody's conflict", async () => {
    const place = await makePlace(family);
    const taken = await place.take();
    place.run(
      'PRAGMA foreign_keys = 0; DELETE FROM d WHERE c = 2; INSERT INTO b VALUES (77, 77); INSERT INTO c VALUES (78, 78)',
    );
    const outcome = await place.restore(taken, 'merge');
    expect(outcome).toMatchObject({ conflicts: [], restored: { 'table d': 1 } });
    expect(place.rows('SELECT id FROM b WHERE id = 77')).toEqual([[77]]);
  });
});
