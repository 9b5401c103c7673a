import { execFileSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Target } from '../../src/generated/policy.ts';
import type { Repository } from '../../src/repositories/repository.ts';
import { createContext } from '../../src/system/create-context.ts';
import { testContext } from '../test-context.ts';
import { type Misbehaviour, pathWithBad } from './bad-programs.ts';
import { expectNothingLeft, setUp } from './conformance-round-trip.ts';
import type { EngineFixture } from './fixture.ts';
import { incoming, namesBelow, newRepository, restore, SNAPSHOT, take } from './workbench.ts';

const FAILURE = { code: expect.stringMatching(/^(?:tool|target|repository|integrity)$/) as unknown };

const storedIn = (repository: Repository): Promise<readonly string[]> => repository.list('', 'deep');

/** Aborts, failing programs, missing programs and full disks: nothing half-made stays, nothing is harmed. */
export function describeFaults<K extends Target['type']>(fixture: EngineFixture<K>): void {
  const { engine } = fixture;

  describe('an abort', () => {
    test('of a capture leaves nothing', async () => {
      const controller = new AbortController();
      const { target } = await setUp(fixture, 'large');
      const { context, folder } = await testContext({ signal: controller.signal });
      const repository = await newRepository(folder, context);
      const before = await fixture.digest(target);
      const running = take(fixture, target, repository, context, () => controller.abort());
      await expect(running).rejects.toMatchObject({ code: 'interrupted' });
      expect(await storedIn(repository)).toEqual([]);
      expect(await fixture.digest(target)).toBe(before);
      await expectNothingLeft(context);
    });

    test.each([...engine.capabilities.modes])(
      'of a restore in mode %s leaves the destination as it was',
      async (mode) => {
        const { context: first, target, repository, from, to } = await setUp(fixture, 'large');
        const taken = await take(fixture, target, repository, first);
        if (mode !== 'new') await fixture.alter(target);
        const destination = mode === 'new' ? fixture.elsewhere(target, to) : target;
        const before = [await fixture.digest(destination), namesBelow(from), namesBelow(to)];
        for (const isLate of [false, true]) {
          const controller = new AbortController();
          const { context } = await testContext({ signal: controller.signal });
          const artifacts = incoming(taken, context).map((artifact) => ({
            ...artifact,
            async into(sink: Parameters<typeof artifact.into>[0]) {
              const moving = artifact.into(sink);
              if (!isLate) controller.abort();
              await moving;
              controller.abort();
            },
          }));
          const request = {
            destination,
            mode,
            artifacts,
            paths: [],
            skipConflicts: false,
            noOwner: false,
            snapshot: SNAPSHOT,
          };
          const running = engine.restore({ ...request, expectedFacts: taken.facts }, context);
          await expect(running).rejects.toMatchObject({ code: 'interrupted' });
          expect([await fixture.digest(destination), namesBelow(from), namesBelow(to)]).toEqual(before);
          await expectNothingLeft(context);
        }
      },
    );
  });

  describe.each<Misbehaviour>(['is killed', 'fails after its work'])('a program that %s', (how) => {
    const compressor = { tool: 'zstd', word: ' -q ' };
    const decoder = { tool: 'zstd', word: ' -dc ' };
    const uses = (own: typeof fixture.producer): readonly { readonly tool: string; readonly word: string }[] =>
      own === null ? [] : [own];

    test.each([compressor, ...uses(fixture.producer)])('in a capture ($tool)', async ({ tool, word }) => {
      const { target } = await setUp(fixture, 'large');
      const outer = await testContext();
      const path = await pathWithBad(outer.folder, tool, word, how);
      const { context, folder } = await testContext({ environment: { PATH: path } });
      const repository = await newRepository(folder, context);
      await expect(take(fixture, target, repository, context)).rejects.toMatchObject(FAILURE);
      expect(await storedIn(repository)).toEqual([]);
      await expectNothingLeft(context);
    });

    test.each([decoder, ...uses(fixture.consumer)])('in a restore ($tool)', async ({ tool, word }) => {
      const { context: first, target, repository, from, to } = await setUp(fixture, 'large');
      const taken = await take(fixture, target, repository, first);
      await fixture.alter(target);
      const before = [await fixture.digest(target), namesBelow(from)];
      const outer = await testContext();
      const path = await pathWithBad(outer.folder, tool, word, how);
      const { context } = await testContext({ environment: { PATH: path } });
      for (const mode of ['replace', 'merge'] as const) {
        await expect(restore(fixture, taken, target, mode, context)).rejects.toMatchObject(FAILURE);
        expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
      }
      const free = fixture.elsewhere(target, to);
      await expect(restore(fixture, taken, free, 'new', context)).rejects.toMatchObject(FAILURE);
      expect(namesBelow(to)).toEqual([]);
      await expectNothingLeft(context);
    });
  });

  test('without any program on PATH it works, or says which is missing', async () => {
    const { context: first, target, repository: full, to } = await setUp(fixture, 'small');
    const taken = await take(fixture, target, full, first);
    const { context, folder } = await testContext({ environment: { PATH: '/nonexistent' } });
    const repository = await newRepository(folder, context);
    const capture = take(fixture, target, repository, context);
    const destination = fixture.elsewhere(target, to);
    // A server's programs may lie in folders that need no PATH.
    if (fixture.capturesByPath === true) {
      await expect(capture).rejects.toMatchObject({ code: 'tool', hint: expect.any(String) as unknown });
      expect(await storedIn(repository)).toEqual([]);
      await restore(fixture, taken, destination, 'new', context);
    } else if (engine.capabilities.tools.length === 0 || !engine.capabilities.local) {
      await restore(fixture, await capture, destination, 'new', context);
      expect(await fixture.digest(destination)).toBe(await fixture.digest(target));
    } else {
      await expect(capture).rejects.toMatchObject({ code: 'tool', hint: expect.any(String) as unknown });
      expect(await storedIn(repository)).toEqual([]);
      expect((await engine.probe(target, context)).problems).not.toEqual([]);
      const restoring = restore(fixture, taken, destination, 'new', context);
      await expect(restoring).rejects.toMatchObject({ code: 'tool', hint: expect.any(String) as unknown });
      expect(namesBelow(to)).toEqual([]);
    }
    await expectNothingLeft(context);
  });

  // Elsewhere the file size limit of `describeKills` stands for a full disk.
  const canFill = fixture.isPersistent && process.getuid?.() === 0 && canMount();
  if (canFill && fixture.storesLittle !== true)
    test('a full disk under the private folder or the repository fails a capture', async () => {
      const { context, target, repository } = await setUp(fixture, 'large');
      const small = await smallDisk(context.workDir);
      const owned = await createContext({ workDirParent: small });
      onTestFinished(owned.dispose);
      const inSmall = take(fixture, target, repository, owned.context);
      // An engine that needs no copy has no use for the private folder.
      await inSmall.catch((error: unknown) => expect(error).toMatchObject(FAILURE));
      const tight = await newRepository(small, context);
      await expect(take(fixture, target, tight, context)).rejects.toMatchObject(FAILURE);
      expect(await storedIn(tight)).toEqual([]);
    });

  if (canFill && engine.capabilities.local)
    test('a full disk under the destination fails a restore and leaves nothing', async () => {
      const { context, target, repository } = await setUp(fixture, 'large');
      const taken = await take(fixture, target, repository, context);
      const small = await smallDisk(context.workDir);
      const destination = fixture.elsewhere(target, small);
      for (const mode of engine.capabilities.modes) {
        await expect(restore(fixture, taken, destination, mode, context)).rejects.toMatchObject(FAILURE);
        expect(namesBelow(small)).toEqual([]);
      }
    });
}

function canMount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'bkp-test', '/mnt'], { stdio: 'ignore' });
    execFileSync('umount', ['/mnt']);
    return true;
  } catch {
    return false;
  }
}

/** A file system of 4 MiB. */
async function smallDisk(folder: string): Promise<string> {
  const place = join(folder, 'small-disk');
  await mkdir(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'bkp-test', place]);
  onTestFinished(() => void execFileSync('umount', ['-l', place]));
  await chmod(place, 0o755);
  return place;
}
