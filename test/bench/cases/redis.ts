import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase, Verdict } from '../case.ts';
import { type BenchRedis, fillRedis, startBenchRedis } from '../data/redis.ts';
import type { Lab } from '../lab.ts';
import { measure } from '../measure.ts';
import { writePolicy } from '../policy.ts';
import { roundRobin, type Side, wallRatio } from '../round-robin.ts';

const PIPE = 'redis-cli --rdb FILE, zstd -3 -T2';
const FAST = 'bkp apply, checks: fast';
const FULL = 'bkp apply';
const RESTORE = 'bkp restore, new';
const MOST_MIB = 200;

export const redisDump: BenchCase = {
  name: 'redis',
  title: 'dump of a Redis server with 1,000,000 keys and a value of 64 MB, hashed; by default read and counted as well',
  tools: { zstd: 'zstd', 'redis-server': 'redis-server', 'redis-cli': 'redis-tools' },
  async run(lab) {
    const server = startBenchRedis();
    try {
      fillRedis(server);
      const full = applySide(lab, server, FULL, 'full');
      const sides = await roundRobin([pipeSide(lab, server), applySide(lab, server, FAST, 'fast'), full], lab.runs);
      const restored = await restoreOnce(lab, server, full);
      return {
        sides: [...sides, restored],
        verdicts: [
          wallRatio(sides, FAST, PIPE, 1.15),
          wallRatio(sides, FULL, PIPE, 1.15),
          ...[...sides, restored].filter(({ name }) => name !== PIPE).map(memoryOf),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};

const memoryOf = ({
  name,
  samples,
}: {
  readonly name: string;
  readonly samples: readonly { nodeRssMiB: number | null }[];
}): Verdict => ({
  label: `${name}, Node`,
  values: samples.map(({ nodeRssMiB }) => nodeRssMiB ?? Number.NaN),
  unit: 'MiB',
  atMost: MOST_MIB,
});

function applySide(lab: Lab, { target }: BenchRedis, name: string, checks: 'fast' | 'full'): Side {
  const cwd = lab.emptyFolder(`redis-${checks}`);
  writePolicy(cwd, { ...target, checks });
  return {
    name,
    command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
    after: () => ['repository', 'cache'].forEach((place) => rmSync(join(cwd, place), { recursive: true, force: true })),
  };
}

/** What people type where they have no tool. */
function pipeSide(lab: Lab, { cli, env }: BenchRedis): Side {
  const cwd = lab.emptyFolder('redis-pipe');
  const script = `${cli.join(' ')} --rdb dump.rdb >&2 && zstd -q -3 -T2 --rm dump.rdb`;
  return {
    name: PIPE,
    command: { argv: ['sh', '-c', script], cwd, env },
    after: () => rmSync(join(cwd, 'dump.rdb.zst')),
  };
}

/** The same server emptied and filled again, for the memory it takes. */
async function restoreOnce(
  lab: Lab,
  server: BenchRedis,
  { command }: Side,
): Promise<Awaited<ReturnType<typeof roundRobin>>[number]> {
  await measure(command);
  server.run(['FLUSHALL']);
  const sample = await measure(lab.bkp(['restore', 'main@latest', '--yes'], { cwd: command.cwd ?? '' }));
  return { name: RESTORE, samples: [sample] };
}
