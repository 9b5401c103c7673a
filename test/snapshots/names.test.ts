import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkKey } from '../../src/repositories/key.ts';
import { makeId, timeOfId } from '../../src/snapshots/ids.ts';
import {
  artifactKey,
  beginKey,
  leaseKey,
  manifestKey,
  markKey,
  parseDocumentKey,
  parseLeaseKey,
  parseMarkKey,
  parseSnapshotFolder,
  runKey,
  snapshotFolder,
} from '../../src/snapshots/keys.ts';

const instants = fc.date({
  min: new Date('1970-01-01T00:00:00Z'),
  max: new Date('2400-01-01T00:00:00Z'),
  noInvalidDate: true,
});
const random = fc.uint8Array({ minLength: 6, maxLength: 6 });

describe('ids', () => {
  test('hold their time to the millisecond and sort by it', () => {
    fc.assert(
      fc.property(instants, random, instants, random, (a, randomA, b, randomB) => {
        const [idA, idB] = [makeId(a, randomA), makeId(b, randomB)];
        expect(idA).toMatch(/^[0-9]{8}T[0-9]{6}Z-[0-9a-z]{8}$/);
        expect(timeOfId(idA)).toEqual(a);
        if (a.getTime() !== b.getTime()) expect(idA < idB).toBe(a < b);
      }),
    );
  });

  test('two of the same millisecond differ by what is random', () => {
    const at = new Date('2026-11-19T02:00:00.123Z');
    expect(makeId(at, new Uint8Array(6))).toBe('20261119T020000Z-3v000000');
    expect(makeId(at, new Uint8Array([255, 32, 31, 1, 2, 10]))).toBe('20261119T020000Z-3vz0z12a');
  });

  test.each([
    '',
    'latest',
    '20261119T020000Z',
    '20261319T020000Z-k3x9q2aa',
    '20260631T020000Z-k3x9q2aa',
    '20261119T250000Z-k3x9q2aa',
    '20261119T026000Z-k3x9q2aa',
    '20261119T020000Z-K3X9Q2AA',
    '../etc/passwd',
    '20261119T020000Z-k3x9q2aa/..',
  ])('%j is no id', (id) => {
    expect(timeOfId(id)).toBeUndefined();
  });

  test('of other programs need not hold milliseconds', () => {
    expect(timeOfId('20261119T020000Z-oulizzzz')).toEqual(new Date('2026-11-19T02:00:00Z'));
    expect(timeOfId('20261119T020000Z-zzzzzzzz')).toEqual(new Date('2026-11-19T02:00:00.999Z'));
  });
});

describe('keys', () => {
  const id = '20261119T020000Z-k3x9q2aa';

  test('are where the format says and say what they are about', () => {
    expect(manifestKey('kong', id)).toBe(`manifests/kong/${id}.json`);
    expect(beginKey('kong', id)).toBe(`snapshots/kong/${id}/begin.json`);
    expect(parseDocumentKey(manifestKey('kong', id))).toEqual({ backup: 'kong', id });
    expect(parseDocumentKey(runKey('kong', id))).toEqual({ backup: 'kong', id });
    expect(parseSnapshotFolder(snapshotFolder('kong', id))).toEqual({ backup: 'kong', id });
    expect(parseLeaseKey(leaseKey('kong-files', 12))).toEqual({ backup: 'kong-files', number: 12 });
    const at = new Date('2026-11-20T03:04:05.678Z');
    const mark = markKey('kong', id, at, 'unprotected');
    expect(mark).toBe(`marks/kong/${id}.20261120T030405678Z-unprotected.json`);
    expect(parseMarkKey(mark)).toEqual({ backup: 'kong', id, at: at.toISOString(), kind: 'unprotected' });
  });

  test('of foreign files are nothing', () => {
    for (const key of [
      'manifests/kong/readme.txt',
      `manifests/kong/${id}.json.bak`,
      `manifests/Kong/${id}.json`,
      `manifests/kong/deep/${id}.json`,
      'manifests/x',
    ]) {
      expect(parseDocumentKey(key)).toBeUndefined();
    }
    for (const key of [`snapshots/kong/${id}`, `snapshots/kong/${id}/x/`, 'snapshots/kong/'])
      expect(parseSnapshotFolder(key)).toBeUndefined();
    for (const key of ['locks/kong.json', 'locks/kong.0.json', 'locks/kong.01.json', 'locks/kong.-1.json'])
      expect(parseLeaseKey(key)).toBeUndefined();
    for (const key of [
      `marks/kong/${id}.20261120T030405678Z-fine.json`,
      `marks/kong/${id}.20269920T030405678Z-verified.json`,
      `marks/kong/${id}/20261120T030405678Z-verified.json`,
    ]) {
      expect(parseMarkKey(key)).toBeUndefined();
    }
  });

  test('of artifacts are what people expect', () => {
    const plain = { target: 'db', name: '', extension: 'tar', compression: 'zstd' } as const;
    expect(artifactKey(plain)).toBe('db.tar.zst');
    expect(artifactKey({ ...plain, compression: 'gzip' })).toBe('db.tar.gz');
    expect(artifactKey({ ...plain, name: 'users', extension: 'sql', compression: null })).toBe('db/users.sql');
    expect(artifactKey({ ...plain, name: 'Ümlaut/..', extension: 'sql' })).toBe('db/%C3%9Cmlaut%2F...sql.zst');
  });

  test('of artifacts never leave their folder, and two names are two keys even where case is ignored', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 400 }),
      fc.constantFrom('.', '..', 'A', 'a', 'A/../b', '%41', 'begin'),
    );
    fc.assert(
      fc.property(names, names, (a, b) => {
        const keys = [a, b].map((name) => artifactKey({ target: 'db', name, extension: 'db', compression: null }));
        for (const key of keys) {
          checkKey(`snapshots/kong/${id}/${key}`);
          expect(key.split('/')).toHaveLength(2);
        }
        if (Buffer.from(a).equals(Buffer.from(b))) expect(keys[0]).toBe(keys[1]);
        else expect(keys[0]?.toLowerCase()).not.toBe(keys[1]?.toLowerCase());
      }),
      { numRuns: 1000 },
    );
  });
});
