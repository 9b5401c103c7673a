import type { BenchCase, CaseResult } from '../case.ts';
import { type BenchServer, startEmptyServer } from '../data/postgres.ts';
import type { Lab } from '../lab.ts';
import { roundRobin, type Side } from '../round-robin.ts';
import { applySide, pipeSide, PIPE } from './pg-sides.ts';

const COUNTS = [1_200, 20_000] as const;

/** Tables with a key and a handful of rows each. One transaction would hold more locks than a server has by default. */
function makeTables({ sql }: BenchServer, count: number): void {
  sql(
    `CREATE PROCEDURE make(count int) LANGUAGE plpgsql AS $$ BEGIN
       FOR n IN 1..count LOOP
         EXECUTE format('CREATE TABLE IF NOT EXISTS t%s (id int PRIMARY KEY, what text)', n);
         EXECUTE format('INSERT INTO t%s SELECT i, md5(i::text) FROM generate_series(1, 10) i ON CONFLICT DO NOTHING', n);
         IF n % 100 = 0 THEN COMMIT; END IF;
       END LOOP; END $$;`,
  );
  sql(`CALL make(${count})`);
  sql('DROP PROCEDURE make');
}

async function measureCount(lab: Lab, server: BenchServer, count: number): Promise<CaseResult> {
  const named = (side: Side, name: string): Side => ({ ...side, name });
  const [pipe, fast, full] = [`${PIPE}, ${count}`, `bkp apply, checks: fast, ${count}`, `bkp apply, ${count}`];
  const results = await roundRobin(
    [
      named(pipeSide(lab, server), pipe),
      applySide(lab, server, fast, { checks: 'fast' }),
      applySide(lab, server, full, { checks: 'full' }),
    ],
    lab.runs,
  );
  const walls = (name: string): readonly number[] =>
    results.find((side) => side.name === name)?.samples.map(({ wallMs }) => wallMs) ?? [];
  const [dumped, uncounted] = [walls(pipe), walls(fast)];
  const values = walls(full).map((ms, run) => (ms - (uncounted[run] ?? 0)) / (dumped[run] ?? Number.NaN));
  return {
    sides: results,
    verdicts: [{ label: `facts of ${count} tables / their dump`, values, unit: 'x', atMost: 1 }],
  };
}

export const pgManyTables: BenchCase = {
  name: 'pg-many-tables',
  title: 'what counting adds where a database is 1,200 or 20,000 small tables',
  tools: { zstd: 'zstd' },
  async run(lab) {
    const server = await startEmptyServer();
    try {
      const results: CaseResult[] = [];
      for (const count of COUNTS) {
        makeTables(server, count);
        results.push(await measureCount(lab, server, count));
      }
      return {
        sides: results.flatMap(({ sides }) => sides),
        verdicts: results.flatMap(({ verdicts }) => verdicts),
      };
    } finally {
      await server.stop();
    }
  },
};
