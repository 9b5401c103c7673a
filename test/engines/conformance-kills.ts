import { chmod, mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { BkpError } from '../../src/errors.ts';
import type { Target } from '../../src/generated/policy.ts';
import { isFullSet } from '../services/suites.ts';
import { setUp } from './conformance-round-trip.ts';
import type { EngineFixture } from './fixture.ts';
import { killScenario, runScenario } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';
import { childrenOf, namesBelow, restore, take, type Taken } from './workbench.ts';

/** Moments, spread over a whole restore, at which one is killed: the full set repeats them on more versions of one server. */
const KILLS = isFullSet() ? 3 : 6;
const FAILURE = /^(?:tool|target|repository|integrity)$/;

const codeOf = (error: unknown): string | null => (error instanceof BkpError ? error.code : null);

const bare = ({ artifacts, facts }: Taken): Omit<Taken, 'repository'> => ({ artifacts, facts });

/** What needs a process of its own: a limit, another user, a sudden death. */
export function describeKills<K extends Target['type']>(fixture: EngineFixture<K>): void {
  const { type } = fixture.engine;

  describe('files that may not grow', () => {
    if (fixture.storesLittle !== true)
      test('fail a capture', async () => {
        const { context, target, repository } = await setUp(fixture, 'large');
        const scenario: Scenario<K> = {
          type,
          target,
          repository: repository.location,
          workDirParent: context.workDir,
          restore: null,
        };
        expect((await runScenario(scenario, { mostBlocks: 1024 })).code).toMatch(FAILURE);
        expect(await repository.list('', 'deep')).toEqual([]);
        expect(namesBelow(context.workDir)).toEqual([]);
        expect(await runScenario(scenario)).toEqual({ code: 'done', message: '' });
      });

    test('fail a restore and leave the destination as it was', async () => {
      const { context, target, repository, from } = await setUp(fixture, 'large');
      const taken = await take(fixture, target, repository, context);
      await fixture.alter(target);
      const before = [await fixture.digest(target), namesBelow(from)];
      for (const mode of ['replace', 'merge'] as const) {
        const scenario: Scenario<K> = {
          type,
          target,
          repository: repository.location,
          workDirParent: context.workDir,
          restore: { mode, taken: bare(taken) },
        };
        const { code, message } = await runScenario(scenario, { mostBlocks: 1024 });
        // A merge of a little needs no large file in every engine, and a server writes its own.
        if ((mode === 'merge' || !fixture.engine.capabilities.local) && code === 'done') {
          await fixture.alter(target);
          continue;
        }
        expect(code, message).toMatch(FAILURE);
        expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
      }
      expect(namesBelow(context.workDir)).toEqual([]);
    });
  });

  describe('a user without rights', () => {
    test('cannot read the target', async () => {
      const { context, target, repository, from } = await setUp(fixture, 'small');
      await fixture.forbid(target);
      const workDirParent = await openToAll(join(context.workDir, 'work'), [context.workDir, from]);
      const path = await openToAll(join(context.workDir, 'other-repository'), []);
      const scenario: Scenario<K> = { type, target, repository: path, workDirParent, restore: null };
      const { code, message } = await runScenario(scenario, { asNobody: true });
      expect(code, message).toMatch(/^(?:target|tool)$/);
      expect(namesBelow(path).filter((name) => name.startsWith('snapshots/'))).toEqual([]);
      expect(await repository.list('', 'deep')).toEqual([]);
    });

    if (fixture.engine.capabilities.local)
      test('cannot write the destination', async () => {
        const { context, target, repository, from, to } = await setUp(fixture, 'small');
        const taken = await take(fixture, target, repository, context);
        const workDirParent = await openToAll(join(context.workDir, 'work'), [context.workDir, from, to]);
        await openTree(repository.location);
        await chmod(to, 0o555);
        const destination = fixture.elsewhere(target, to);
        for (const mode of ['new', 'replace'] as const) {
          const scenario: Scenario<K> = {
            type,
            target: destination,
            repository: repository.location,
            workDirParent,
            restore: { mode, taken: bare(taken) },
          };
          const { code, message } = await runScenario(scenario, { asNobody: true });
          expect(code, message).toMatch(/^(?:target|tool)$/);
          expect(namesBelow(to)).toEqual([]);
        }
        await chmod(to, 0o755);
      });
  });

  describe('a restore that was killed', () => {
    test.each(['new', 'replace', 'merge'] as const)('in mode %s is finished or undone by the next', async (mode) => {
      const { context, target, repository, to } = await setUp(fixture, 'large');
      const original = await fixture.digest(target);
      const taken = await take(fixture, target, repository, context);
      const destination = mode === 'new' ? fixture.elsewhere(target, to) : target;
      const prepare = (): Promise<void> => (mode === 'new' ? fixture.destroy(destination) : fixture.alter(destination));
      const scenario: Scenario<K> = {
        type,
        target: destination,
        repository: repository.location,
        workDirParent: context.workDir,
        restore: { mode, taken: bare(taken) },
      };
      if (mode !== 'new') await prepare();
      const start = performance.now();
      expect(await runScenario(scenario)).toEqual({ code: 'done', message: '' });
      const wholeMs = performance.now() - start;
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await prepare();
        await killScenario(scenario, (wholeMs * kill) / KILLS);
        const isDone = mode === 'new' && (await fixture.digest(destination)) === original;
        if (!isDone)
          await restore(fixture, taken, destination, mode, context).catch((error: unknown) => {
            // What was finished first stands in the way of `new`; that it is whole is asked below.
            if (mode !== 'new' || codeOf(error) !== 'guard') throw error;
          });
        if (mode === 'merge') expect(await fixture.partsOf(destination)).toEqual({ taken: true, added: true });
        else expect(await fixture.digest(destination)).toBe(original);
      }
      // Nobody is left to stop what a killed one had started: it must end by itself.
      await expect.poll(() => childrenOf(context)).toEqual([]);
    });
  });
}

/** Lets every user into folders, and makes a new one that everybody may write. */
async function openToAll(path: string, ways: readonly string[]): Promise<string> {
  for (const way of ways)
    for (let at = way; at !== dirname(tmpdir()) && at !== tmpdir(); at = dirname(at)) await chmod(at, 0o755);
  await mkdir(path);
  await chmod(path, 0o777);
  return path;
}

/** Lets every user read a tree. */
async function openTree(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}
