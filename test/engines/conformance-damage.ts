import { open, readFile, writeFile } from 'node:fs/promises';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/context.ts';
import type { Facts } from '../../src/engines/engine.ts';
import type { Target } from '../../src/generated/policy.ts';
import { verifyStored } from '../../src/streams/hash-stored.ts';
import { expectNothingLeft, setUp } from './conformance-round-trip.ts';
import type { EngineFixture } from './fixture.ts';
import { incoming, namesBelow, restore, take, type Taken } from './workbench.ts';

/** Changes the first stored object of a capture. */
async function changeStored({ repository, artifacts }: Taken, change: (bytes: Buffer) => Buffer): Promise<void> {
  const path = repository.localPath(artifacts[0]?.key ?? '') ?? '';
  await writeFile(path, change(await readFile(path)));
}

/** Cuts the native bytes and stores them again as if they were whole: what only the engine can see. */
async function cutNative(taken: Taken, cut: (raw: Buffer) => number): Promise<Taken> {
  await changeStored(taken, (stored) => {
    const raw = zstdDecompressSync(stored);
    return zstdCompressSync(raw.subarray(0, cut(raw)));
  });
  const [first, ...rest] = taken.artifacts;
  if (first === undefined) throw new Error('no artifact');
  const handle = await open(taken.repository.localPath(first.key) ?? '');
  const { size } = await handle.stat();
  await handle.close();
  return { ...taken, artifacts: [{ ...first, rawBytes: null, storedBytes: size, storedSha256: 'forged' }, ...rest] };
}

/** The same facts with one more of everything. */
function otherFacts(facts: Facts): Facts {
  const numbers = (_key: string, value: unknown): unknown => (typeof value === 'number' ? value + 1 : value);
  return JSON.parse(JSON.stringify(facts, numbers)) as Facts;
}

const verify = async ({ repository, artifacts }: Taken, context: Context): Promise<void> => {
  for (const artifact of artifacts) await verifyStored(artifact, { repository, key: artifact.key }, context);
};

/** Damaged artifacts are found by the hash, by the decoder or by the engine, before anything happens to a destination. */
export function describeDamage<K extends Target['type']>(fixture: EngineFixture<K>): void {
  const { engine } = fixture;
  const cuts: Readonly<Record<string, (bytes: Buffer) => number>> = {
    'one byte': (bytes) => bytes.length - 1,
    half: (bytes) => Math.floor(bytes.length / 2),
  };
  const nativeCuts = { ...cuts, 'a record boundary': (raw: Buffer) => fixture.recordBoundary(raw) };

  describe('an artifact', () => {
    test.each(Object.keys(cuts))('whose stored bytes are cut by %s is refused', async (name) => {
      const { context, target, repository, from } = await setUp(fixture, 'small');
      const taken = await take(fixture, target, repository, context);
      await fixture.alter(target);
      const before = [await fixture.digest(target), namesBelow(from)];
      await changeStored(taken, (bytes) => bytes.subarray(0, cuts[name]?.(bytes)));
      await expect(verify(taken, context)).rejects.toMatchObject({ code: 'integrity' });
      await expect(engine.check(incoming(taken, context), context, target)).rejects.toMatchObject({
        code: 'integrity',
      });
      for (const mode of ['replace', 'merge'] as const) {
        const failed = restore(fixture, taken, target, mode, context);
        await expect(failed).rejects.toMatchObject({ code: 'integrity' });
        expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
      }
      await expectNothingLeft(context);
    });

    test('with one flipped bit is refused by its hash', async () => {
      const { context, target, repository } = await setUp(fixture, 'small');
      const taken = await take(fixture, target, repository, context);
      await verify(taken, context);
      await changeStored(taken, (bytes) => {
        const at = Math.floor(bytes.length / 2);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return bytes;
      });
      await expect(verify(taken, context)).rejects.toMatchObject({ code: 'integrity' });
    });

    test.each(Object.keys(nativeCuts))('that was stored cut by %s is refused', async (name) => {
      for (const content of ['small', 'large'] as const) {
        const { context, target, repository, from, to } = await setUp(fixture, content);
        const taken = await take(fixture, target, repository, context);
        const cut = await cutNative(taken, nativeCuts[name as keyof typeof nativeCuts]);
        await fixture.alter(target);
        const before = [await fixture.digest(target), namesBelow(from)];
        await expect(engine.check(incoming(cut, context), context, target)).rejects.toMatchObject({
          code: 'integrity',
        });
        for (const mode of ['replace', 'merge'] as const) {
          await expect(restore(fixture, cut, target, mode, context)).rejects.toMatchObject({ code: 'integrity' });
          expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
        }
        const free = fixture.elsewhere(target, to);
        await expect(restore(fixture, cut, free, 'new', context)).rejects.toMatchObject({ code: 'integrity' });
        expect(namesBelow(to)).toEqual([]);
        await expectNothingLeft(context);
      }
    });

    test('that is another one than the manifest describes is refused', async () => {
      const { context, target, repository, from } = await setUp(fixture, 'small');
      const taken = await take(fixture, target, repository, context);
      await fixture.alter(target);
      const before = [await fixture.digest(target), namesBelow(from)];
      const wrong = { ...taken, facts: otherFacts(taken.facts) };
      await expect(restore(fixture, wrong, target, 'replace', context)).rejects.toMatchObject({ code: 'integrity' });
      expect([await fixture.digest(target), namesBelow(from)]).toEqual(before);
      await expectNothingLeft(context);
    });
  });
}
