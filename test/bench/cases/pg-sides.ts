import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchServer } from '../data/postgres.ts';
import type { Lab } from '../lab.ts';
import { writePolicy } from '../policy.ts';
import type { Side } from '../round-robin.ts';

export const PIPE = 'pg_dump -Fc -Z0, zstd -3 -T2';
export const FAST = 'bkp apply, checks: fast';
export const FULL = 'bkp apply';

/**
 * bkp capturing the server's database into a new repository; `repository` and `cache` in its folder go afterwards.
 * `changes` are keys of the target, `repository` keys of the repository.
 */
export function applySide(
  lab: Lab,
  { target }: BenchServer,
  name: string,
  changes: object,
  repository: Readonly<Record<string, unknown>> = {},
): Side {
  const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
  writePolicy(cwd, { ...target, ...changes }, repository);
  return {
    name,
    command: lab.bkp(['apply', '--yes', '--init-repositories'], { cwd }),
    after: () => ['repository', 'cache'].forEach((place) => rmSync(join(cwd, place), { recursive: true, force: true })),
  };
}

/** A line of shell with PostgreSQL's programs on its PATH, in a folder of its own. */
export function shellSide(lab: Lab, { bin, env }: BenchServer, name: string, script: string): Side {
  const cwd = lab.emptyFolder(name.replaceAll(/\W+/g, '-'));
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  return {
    name,
    command: { argv: ['sh', '-c', script], cwd, env: { ...env, PATH: path } },
    after: () => rmSync(join(cwd, 'dump'), { recursive: true, force: true }),
  };
}

/** What people type where they have no tool. */
export const pipeSide = (lab: Lab, server: BenchServer): Side =>
  shellSide(lab, server, PIPE, 'pg_dump -w -Fc -Z0 | zstd -q -3 -T2 > dump');
