import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { artifactKeys, parseManifest, slimManifest, writeManifest } from '../../src/snapshots/manifest-codec.ts';
import type { Manifest } from '../../src/snapshots/manifest.ts';
import { aManifest, anArtifact, idAt } from './fixtures.ts';

const id = idAt('2026-11-19T02:00:00Z');
const name = { backup: 'kong', id };
const manifest = aManifest(id);
const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

test('a manifest comes back as it was written, in the same bytes for the same content', () => {
  const bytes = writeManifest(manifest);
  expect(parseManifest(bytes, name)).toEqual({ ok: true, value: manifest });
  const reordered = Object.fromEntries(Object.entries(manifest).toReversed()) as unknown as Manifest;
  expect(writeManifest(reordered).equals(bytes)).toBe(true);
});

test('what is no manifest is never written', () => {
  expect(() => writeManifest({ ...manifest, startedAt: 'yesterday' })).toThrow(/cannot write the manifest of kong@/);
  expect(() => writeManifest({ ...manifest, status: 'partial' })).toThrow(/does not agree/);
});

test('the slim form counts the bytes', () => {
  expect(slimManifest(manifest)).toMatchObject({
    backup: 'kong',
    id,
    targets: { db: 'captured' },
    sizeBytes: 14,
    storedBytes: 14,
  });
});

test('the slim form tells what lies with servers', () => {
  const [db] = Object.values(manifest.targets);
  const references = [{ store: 'cluster/nightly', name: 'bkp-1', id: 'uuid' }];
  const left = { ...manifest, targets: { ...manifest.targets, db: { ...db, references } } } as Manifest;
  expect(parseManifest(writeManifest(left), name)).toEqual({ ok: true, value: left });
  expect(slimManifest(left).references).toEqual([{ target: 'db', ...references[0] }]);
  expect(slimManifest(manifest)).not.toHaveProperty('references');
});

test('files that an artifact lists are counted with it', () => {
  const folder = { key: 'db/', files: 2, bytes: 1000 };
  const target = { ...aManifest(id).targets['db'], artifacts: [{ ...anArtifact('db.list'), folder }] };
  const listing = { ...manifest, targets: { db: target } } as typeof manifest;
  expect(parseManifest(bytesOf(listing), name)).toEqual({ ok: true, value: listing });
  expect(slimManifest(listing)).toMatchObject({ sizeBytes: 1000, storedBytes: 1007, listsFiles: true });
  expect(slimManifest(manifest)).not.toHaveProperty('listsFiles');
  expect(artifactKeys(listing)).toEqual(['db/', 'db.list']);
});

const db = manifest.targets['db'];
const withTarget = (parts: object): unknown => ({ ...manifest, targets: { db: { ...db, ...parts } } });
const withKey = (key: string): unknown => withTarget({ artifacts: [anArtifact(key)] });

describe('is unreadable', () => {
  test.each<[string, unknown, RegExp]>([
    ['of another snapshot', { ...manifest, backup: 'other' }, /it is the manifest of other@/],
    ['with another time than its id', { ...manifest, startedAt: '2026-11-19T02:00:01Z' }, /time in its id/],
    ['with a time that does not exist', { ...manifest, finishedAt: '2026-13-19T02:00:00Z' }, /not a time/],
    ['with an unknown key', { ...manifest, extra: 1 }, /additional properties/],
    ['without targets', { ...manifest, targets: {} }, /fewer than 1/],
    ['created, though a target failed', withTarget({ status: 'failed', artifacts: [] }), /does not agree/],
    ['captured, though without artifacts', withTarget({ artifacts: [] }), /no artifact/],
    ['with one key twice', withTarget({ artifacts: [anArtifact('a'), anArtifact('a')] }), /same key/],
    ['with a negative size', withTarget({ artifacts: [{ ...anArtifact('a'), storedBytes: -1 }] }), /must be >= 0/],
    ['with the key of its begin.json', withKey('begin.json'), /begin\.json/],
    [
      'with a hash that is none',
      withTarget({ artifacts: [{ ...anArtifact('a'), storedSha256: 'A'.repeat(64) }] }),
      /pattern/,
    ],
    ['that is a list', [manifest], /not an object/],
    ['that is null', null, /not an object/],
    ['with a format of text', { ...manifest, formatVersion: '1' }, /not a whole number/],
    ['with format 0', { ...manifest, formatVersion: 0 }, /does not exist/],
  ])('%s', (_, value, message) => {
    expect(parseManifest(bytesOf(value), name)).toMatchObject({
      ok: false,
      reason: 'unreadable',
      message: expect.stringMatching(message),
    });
  });

  test.each(['../x', '/etc/passwd', 'a/../../b', 'a//b', '.hidden', 'a\\b', 'a\0b', ''])(
    'with the artifact key %j',
    (key) => {
      expect(parseManifest(bytesOf(withKey(key)), name)).toMatchObject({ ok: false, reason: 'unreadable' });
    },
  );

  test.each(['x', '/', '', '../', '/x/', 'a//', './', '.hidden/', 'a/../', 'x/y'])('with the folder %j', (key) => {
    const artifacts = [{ ...anArtifact('a'), folder: { key, files: 1, bytes: 1 } }];
    const read = parseManifest(bytesOf(withTarget({ artifacts })), name);
    expect(read).toMatchObject({ ok: false, reason: 'unreadable' });
  });

  test.each(['', '{', 'null', '"text"', '\ufeff{}', '{"formatVersion":1e400}', '[1'])('%j', (text) => {
    expect(parseManifest(Buffer.from(text), name)).toMatchObject({ ok: false, reason: 'unreadable' });
  });
});

test('a newer format is told as such, whatever else it holds', () => {
  expect(parseManifest(bytesOf({ formatVersion: 2, everything: 'new' }), name)).toMatchObject({
    ok: false,
    reason: 'newer-format',
    message: expect.stringContaining('format 2 is newer'),
  });
});

test('mutated bytes never crash it, and never make another snapshot of it', () => {
  const bytes = writeManifest(manifest);
  const positions = fc.nat(bytes.length - 1);
  const mutations = fc.oneof(
    fc.tuple(positions, fc.nat(255)).map(([at, byte]) => [at, at + 1, [byte]] as const),
    positions.map((at) => [at, Infinity, []] as const),
    fc.tuple(positions, positions).map(([from, to]) => [from, to, []] as const),
    fc.tuple(positions, fc.array(fc.nat(255), { maxLength: 20 })).map(([at, more]) => [at, at, more] as const),
  );
  const mutate = (mutated: Uint8Array, [from, to, more]: readonly [number, number, readonly number[]]): Uint8Array =>
    Buffer.concat([mutated.subarray(0, from), Buffer.from(more), mutated.subarray(to)]);
  fc.assert(
    fc.property(fc.array(mutations, { minLength: 1, maxLength: 4 }), (all) => {
      const parsed = parseManifest(all.reduce(mutate, bytes), name);
      if (parsed.ok) expect(parsed.value).toMatchObject({ ...name, formatVersion: 1 });
      else expect(['unreadable', 'newer-format']).toContain(parsed.reason);
    }),
    { numRuns: 5000 },
  );
});

test('mutated values never crash it', () => {
  const paths = fc.array(fc.nat(20), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(
      paths,
      fc.oneof(fc.jsonValue(), fc.constantFrom('../x', -1, 1e308, '__proto__', [], {})),
      (path, value) => {
        const copy = structuredClone(manifest) as unknown;
        let place = copy as Record<string, unknown>;
        for (const step of path) {
          const names = Object.keys(place);
          const key = names[step % Math.max(1, names.length)] ?? 'x';
          const below = place[key];
          if (typeof below !== 'object' || below === null || step === path.at(-1)) {
            place[key] = value;
            break;
          }
          place = below as Record<string, unknown>;
        }
        const parsed = parseManifest(bytesOf(copy), name);
        if (!parsed.ok) expect(parsed.message).not.toBe('');
        else expect(slimManifest(parsed.value).id).toBe(id);
      },
    ),
    { numRuns: 5000 },
  );
});
