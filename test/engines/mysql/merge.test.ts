import { describe, expect, it } from 'vitest';
import { describeDatabase } from './digest.ts';
import { oneDatabase } from './one-database.ts';

const SHOP = `
  CREATE TABLE customers (id int PRIMARY KEY AUTO_INCREMENT, mail varchar(50) UNIQUE, name text);
  CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, total int, taxed int AS (total * 2) STORED,
    FOREIGN KEY (customer) REFERENCES customers (id));
  CREATE TABLE parts (id int PRIMARY KEY, of int, FOREIGN KEY (of) REFERENCES parts (id));
  CREATE TABLE visits (page varchar(20), seconds double);
  CREATE TABLE audit (what text);
  INSERT INTO customers VALUES (1, 'a@x', 'Ann'), (2, 'b@x', 'Bob'), (3, 'c@x', 'Cid');
  INSERT INTO orders (id, customer, total) VALUES (10, 1, 5), (11, 2, 7), (12, 3, 9);
  INSERT INTO parts VALUES (1, NULL), (2, 1), (3, 2);
  INSERT INTO visits VALUES ('home', 1.5), ('home', 1.5), ('Home', 1.5), (NULL, NULL), (NULL, NULL);
  CREATE TRIGGER noted AFTER INSERT ON orders FOR EACH ROW INSERT INTO audit VALUES (NEW.id);`;

describe('a merge', () => {
  it('brings back what is missing and leaves what is there', async () => {
    const bench = await oneDatabase(SHOP);
    const taken = await bench.take();
    bench.ask(`UPDATE customers SET name = 'Anna' WHERE id = 1; DELETE FROM orders WHERE id = 11; INSERT INTO orders (id, customer, total) VALUES (99, 1, 1);
      DELETE FROM parts WHERE id = 3; DELETE FROM visits WHERE page = 'Home' COLLATE utf8mb4_bin; DELETE FROM visits WHERE page IS NULL LIMIT 1; TRUNCATE audit`);
    const { restored, conflicts } = await bench.restore(taken, 'merge');
    expect(conflicts).toEqual([]);
    expect(restored).toEqual({ 'table orders': 1, 'table parts': 1, 'table visits': 2 });
    expect(bench.ask('SELECT name FROM customers ORDER BY id')).toBe('Anna\nBob\nCid');
    expect(bench.ask('SELECT id, taxed FROM orders ORDER BY id')).toBe('10\t10\n11\t14\n12\t18\n99\t2');
    expect(bench.ask('SELECT BINARY page, COUNT(*) FROM visits GROUP BY 1 ORDER BY 1')).toBe(
      'NULL\t2\nHome\t1\nhome\t2',
    );
    // No trigger ran, and it is there again.
    expect(bench.ask('SELECT COUNT(*) FROM audit')).toBe('0');
    bench.ask('INSERT INTO orders (id, customer, total) VALUES (100, 1, 1)');
    expect(bench.ask('SELECT what FROM audit')).toBe('100');
    expect(await bench.restore(taken, 'merge')).toMatchObject({ restored: {}, conflicts: [] });
  });

  it('refuses rows that refer to nothing, or collide, and changes nothing', async () => {
    const bench = await oneDatabase(SHOP);
    const taken = await bench.take();
    bench.ask(`DELETE FROM orders WHERE id IN (11, 12); DELETE FROM customers WHERE id = 2;
      INSERT INTO customers VALUES (20, 'b@x', 'Other Bob'); DELETE FROM visits`);
    const before = describeDatabase(bench.connection, bench.target.database);
    await expect(bench.restore(taken, 'merge')).rejects.toMatchObject({
      code: 'target',
      message: `cannot merge into database ${bench.target.database}: 1 row of table customers: another row has the same mail; 1 row of table orders: what customer refers to in customers is not there`,
      hint: 'nothing was changed; `--skip-conflicts` leaves these rows out',
    });
    expect(describeDatabase(bench.connection, bench.target.database)).toBe(before);
    const { restored, conflicts } = await bench.restore(taken, 'merge', { skipConflicts: true });
    expect(conflicts).toHaveLength(2);
    expect(restored).toEqual({ 'table orders': 1, 'table visits': 5 });
    expect(bench.ask('SELECT id FROM orders ORDER BY id')).toBe('10\n12');
  });

  it('makes tables that are gone with keys, triggers and numbers of their own', async () => {
    const bench = await oneDatabase(SHOP);
    bench.ask("INSERT INTO customers VALUES (50, 'z@x', 'Zoe'); DELETE FROM customers WHERE id = 50");
    const taken = await bench.take();
    bench.ask('DROP TABLE orders; DROP TABLE customers');
    const { restored } = await bench.restore(taken, 'merge');
    expect(restored).toEqual({ 'table customers': 3, 'table orders': 3 });
    expect(() => bench.ask('INSERT INTO orders (id, customer, total) VALUES (200, 77, 1)')).toThrow(/foreign key/);
    bench.ask(
      "INSERT INTO customers (mail) VALUES ('new@x'); INSERT INTO orders (id, customer, total) VALUES (201, 1, 1)",
    );
    expect(bench.ask("SELECT id FROM customers WHERE mail = 'new@x'")).toBe('51');
    expect(bench.ask('SELECT what FROM audit ORDER BY what')).toBe('201');
  });

  it('tells columns that are gone and leaves them out', async () => {
    const bench = await oneDatabase(SHOP);
    const taken = await bench.take();
    bench.ask(
      'ALTER TABLE customers DROP COLUMN name, ADD COLUMN age int DEFAULT 4; DELETE FROM orders WHERE customer = 3; DELETE FROM customers WHERE id = 3',
    );
    const { warnings } = await bench.restore(taken, 'merge');
    expect(warnings).toEqual(['table customers: columns that are not there any more were left out: name']);
    expect(bench.ask('SELECT mail, age FROM customers WHERE id = 3')).toBe('c@x\t4');
  });

  it('waits for nobody longer than it is told', async () => {
    const bench = await oneDatabase(SHOP);
    const taken = await bench.take();
    bench.ask('DELETE FROM parts WHERE id = 3');
    const holder = bench.hold('LOCK TABLES parts READ');
    await holder.ready;
    const refused = bench.restore(taken, 'merge', { destination: { ...bench.target, lockTimeout: '1s' } });
    await expect(refused).rejects.toMatchObject({
      code: 'target',
      hint: expect.stringContaining('lockTimeout') as unknown,
    });
    holder.release();
    expect(bench.ask('SELECT COUNT(*) FROM parts')).toBe('2');
    expect(await bench.restore(taken, 'merge')).toMatchObject({ restored: { 'table parts': 1 } });
  });
});
