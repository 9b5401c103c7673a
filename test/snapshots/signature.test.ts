import { describe, expect, test } from 'vitest';
import { makeSigningKeys, readSigningKey } from '../../src/signing/ed25519-key.ts';
import type { Manifest } from '../../src/snapshots/manifest.ts';
import { parseManifest, slimManifest, writeManifest } from '../../src/snapshots/manifest-codec.ts';
import { documentSigner, manifestSigner, signDocument, signManifest } from '../../src/snapshots/signature.ts';
import { aManifest, idAt } from './fixtures.ts';

const key = readSigningKey(makeSigningKeys().privateKey);
const other = readSigningKey(makeSigningKeys().privateKey);
const id = idAt('2026-11-19T02:00:00Z');
const encryption = { method: 'age', recipients: ['age1mine'], manifest: 'open', sealed: 'sealed' } as const;
const plain = aManifest(id, { encryption });
const signed = signManifest(plain, key);

/** Every way to a value that is no object. */
function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}

/** The same value with another one at a path. */
function changed(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return typeof value === 'number' ? value + 1 : `${String(value)}x`;
  if (Array.isArray(value))
    return value.map((one: unknown, index) => (String(index) === name ? changed(one, rest) : one));
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [name]: changed(fields[name], rest) };
}

describe('the signature of a manifest', () => {
  test('is found right after it was stored and read', () => {
    const sound = signManifest(aManifest(id), key);
    const parsed = parseManifest(writeManifest(sound), sound);
    expect(parsed.ok && manifestSigner(parsed.value)).toBe(key.publicKey);
    expect(parsed.ok && slimManifest(parsed.value).signedBy).toBe(key.publicKey);
  });

  test.each(leaves(plain).map((path) => [path.join('.'), path] as const))(
    'is wrong once %s is changed',
    (_name, path) => {
      expect(manifestSigner(changed(signed, path) as Manifest)).toBeNull();
    },
  );

  test('is wrong once a field is added or left out', () => {
    expect(manifestSigner({ ...signed, 'x-more': 1 } as Manifest)).toBeNull();
    const { protect: _protect, ...rest } = signed;
    expect(manifestSigner(rest as Manifest)).toBeNull();
  });

  test('is wrong with another public key, and there is none without one', () => {
    const value = signed.signature?.value ?? '';
    expect(manifestSigner({ ...signed, signature: { publicKey: other.publicKey, value } })).toBeNull();
    expect(manifestSigner(plain)).toBeUndefined();
    expect(
      slimManifest({ ...signed, signature: { publicKey: key.publicKey, value: value.slice(4) } }).signedBy,
    ).toBeNull();
  });

  test('replaces an earlier one', () => {
    expect(manifestSigner(signManifest(signed, other))).toBe(other.publicKey);
  });

  test('does not pass for that of a mark', () => {
    const place = { repositoryId: 'r1', key: 'k' };
    const asMark = signDocument(plain, place, key);
    expect(manifestSigner(asMark)).toBeNull();
    expect(documentSigner({ ...signed }, place)).toBeNull();
  });
});

describe('the signature of a mark', () => {
  const mark = {
    formatVersion: 1,
    kind: 'unprotected',
    at: '2026-11-19T02:00:00.000Z',
    policy: 'acme',
    data: { a: 1 },
  };
  const place = { repositoryId: 'r1', key: `marks/kong/${id}.20261119T020000000Z-unprotected.json` };
  const stored = signDocument(mark, place, key);

  test('is right where it was made', () => expect(documentSigner(stored, place)).toBe(key.publicKey));

  test.each(leaves(mark).map((path) => [path.join('.'), path] as const))(
    'is wrong once %s is changed',
    (_name, path) => {
      expect(documentSigner(changed(stored, path) as Readonly<Record<string, unknown>>, place)).toBeNull();
    },
  );

  test.each([
    ['another snapshot', { ...place, key: place.key.replace(id, idAt('2026-11-20T02:00:00Z')) }],
    ['another backup', { ...place, key: place.key.replace('kong', 'shop') }],
    ['another time', { ...place, key: place.key.replace('20261119T02', '20261120T02') }],
    ['another kind', { ...place, key: place.key.replace('unprotected', 'released') }],
    ['another repository', { ...place, repositoryId: 'r2' }],
  ])('is wrong at the place of %s', (_name, elsewhere) => expect(documentSigner(stored, elsewhere)).toBeNull());

  test.each([null, 'text', {}, { publicKey: key.publicKey }, { publicKey: 1, value: 2 }])(
    '%j is a wrong one',
    (signature) => expect(documentSigner({ ...mark, signature }, place)).toBeNull(),
  );
});
