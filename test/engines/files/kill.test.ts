import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RestoreMode } from '../../../src/engines/engine.ts';
import { BkpError } from '../../../src/errors.ts';
import { testContext } from '../../test-context.ts';
import { captureToFile, runRestore } from './run-restore.ts';
import { artifactOf, leftovers, restore, takeSnapshot } from './snapshots.ts';
import { type ListedEntry, listTree } from './tree-listing.ts';

interface Case {
  readonly mode: RestoreMode;
  /** Brings the captured paths into the state before the restore. */
  readonly prepare: (home: string) => void;
}

const CASES: Readonly<Record<string, Case>> = {
  replace: {
    mode: 'replace',
    prepare(home) {
      writeFileSync(join(home, 'file'), 'changed');
      rmSync(join(home, 'tree/sub'), { recursive: true });
      writeFileSync(join(home, 'tree/added'), 'added');
    },
  },
  merge: {
    mode: 'merge',
    prepare(home) {
      rmSync(join(home, 'file'));
      rmSync(join(home, 'tree/sub/deep'), { recursive: true });
      rmSync(join(home, 'tree/one'));
      utimesSync(join(home, 'tree/sub'), 1, 2);
    },
  },
  new: {
    mode: 'new',
    prepare(home) {
      rmSync(join(home, 'file'));
      rmSync(join(home, 'tree'), { recursive: true });
      mkdirSync(join(home, 'tree'));
    },
  },
};

const stateOf = (paths: readonly string[]): readonly (readonly ListedEntry[] | null)[] =>
  paths.map((path) => (existsSync(path) ? listTree(path) : null));

test('a rename that fails brings everything back', async () => {
  const { context, folder } = await testContext();
  const home = join(folder, 'home');
  const paths = [join(home, 'a'), join(home, 'b')];
  for (const path of paths) {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'x'), path);
  }
  const archive = join(folder, 'archive.tar');
  await captureToFile(context, paths, archive);
  for (const path of paths) writeFileSync(join(path, 'x'), 'changed');
  const before = stateOf(paths);
  const order = { archive, paths, mode: 'replace' as const, workDirParent: folder };
  for (const failAt of [1, 2, 3, 4]) {
    const report = await runRestore({ ...order, failAt });
    expect(report?.error).toMatchObject({ code: 'target', message: expect.stringContaining('EIO: made by the test') });
    expect(stateOf(paths)).toEqual(before);
    expect(leftovers(readdirSync(home))).toEqual([]);
  }
  expect((await runRestore({ ...order, failAt: 5 }))?.error).toBeNull();
});

describe('a restore that is killed at any step', () => {
  test.each(Object.entries(CASES))(
    '%s: nothing is lost, and the next command makes it whole',
    async (_, { mode, prepare }) => {
      const { context, folder } = await testContext();
      const original = join(folder, 'original');
      mkdirSync(join(original, 'tree/sub/deep'), { recursive: true });
      writeFileSync(join(original, 'tree/one'), 'one');
      writeFileSync(join(original, 'tree/sub/deep/two'), 'two');
      writeFileSync(join(original, 'file'), 'file');

      const home = join(folder, 'home');
      const paths = [join(home, 'file'), join(home, 'tree')];
      const archive = join(folder, 'archive.tar');
      copyTree(original, home);
      await captureToFile(context, paths, archive);
      const restored = stateOf(paths);
      prepare(home);
      const room = join(folder, 'room');
      copyTree(home, room);

      const order = { archive, paths, mode, workDirParent: folder };
      const steps = (await runRestore(order))?.steps ?? null;
      if (steps === null) throw new Error('killed');
      expect(steps).toBeGreaterThan(20);
      const merged = stateOf(paths);
      if (mode !== 'merge') expect(merged).toEqual(restored);

      const outcomes = new Set<string>();
      const hints = new Set<string>();
      for (let killAt = 1; killAt <= steps; killAt++) {
        rmSync(home, { recursive: true });
        copyTree(room, home);
        const before = stateOf(paths);
        expect(await runRestore({ ...order, killAt }), `step ${killAt}`).toBeNull();

        if (mode === 'replace') {
          // A capture finishes what was begun.
          await takeSnapshot({ paths }, context, join(folder, 'repository'));
          const after = JSON.stringify(contentOf(stateOf(paths)));
          const which = [before, merged].findIndex((known) => JSON.stringify(contentOf(known)) === after);
          expect(which, `step ${killAt}: ${after}`).toBeGreaterThanOrEqual(0);
          outcomes.add(which === 0 ? 'as before' : 'finished');
        } else {
          const request = { mode, artifact: artifactOf(archive, context), destination: { paths } };
          await restore(request, context).then(
            ({ warnings }) =>
              outcomes.add(warnings.some((warning) => warning.startsWith('finished')) ? 'finished' : 'as before'),
            (error: unknown) => {
              // What was finished first stands in the way of `new`.
              expect(error, `step ${killAt}`).toMatchObject({ code: 'guard' });
              outcomes.add('finished');
              hints.add(error instanceof BkpError ? (error.hint ?? '') : '');
            },
          );
          expect(contentOf(stateOf(paths)), `step ${killAt}`).toEqual(contentOf(merged));
        }
        if (mode === 'merge') {
          const time = statSync(join(home, 'tree/sub'), { bigint: true }).mtimeNs;
          expect(time, `step ${killAt}`).toBe(2_000_000_000n);
        }
        const names = readdirSync(home);
        const olds = names.filter((name) => name.includes('.bkp-old-'));
        expect(
          leftovers(names).filter((name) => !olds.includes(name)),
          `step ${killAt}`,
        ).toEqual([]);
        // Whatever was replaced is still there.
        for (const [index, name] of ['file', 'tree'].entries()) {
          if (mode !== 'replace' || before[index] === null) continue;
          const places = [name, ...olds.filter((old) => old.startsWith(`.${name}.`))].map((one) =>
            JSON.stringify(contentOf([listTree(join(home, one))])),
          );
          expect(places, `step ${killAt}`).toContain(JSON.stringify(contentOf([before[index] ?? null])));
        }
      }
      expect([...outcomes].toSorted()).toEqual(['as before', 'finished']);
      if (mode === 'new') expect([...hints].join('\n')).toContain('was finished just now');
    },
    240_000,
  );
});

/** With owners and times to the nanosecond, which Node's own copy loses. */
const copyTree = (from: string, to: string): void => {
  execFileSync('cp', ['-a', from, to]);
};

/** Names and contents without times: a swap changes those of the folder around it. */
const contentOf = (states: readonly (readonly ListedEntry[] | null)[]): unknown =>
  states.map((state) => state?.map(({ name, kind, mode, content }) => [name, kind, mode, content]) ?? null);
