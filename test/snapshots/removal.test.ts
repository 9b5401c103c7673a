import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import type { Lease } from '../../src/snapshots/held-lease.ts';
import { beginKey, manifestKey, snapshotFolder } from '../../src/snapshots/keys.ts';
import { breakLease } from '../../src/snapshots/leases.ts';
import { addMark, readMarks } from '../../src/snapshots/marks.ts';
import type { Manifest } from '../../src/snapshots/manifest.ts';
import { readSnapshot } from '../../src/snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { isGood } from '../../src/snapshots/standing.ts';
import { beginSnapshot } from '../../src/snapshots/snapshot-draft.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { aManifest, anArtifact, idAt, keysOf, storeSnapshot, takeLease, testHost, testRunner } from './fixtures.ts';

const runner = testRunner();
const id = idAt('2026-11-18T02:00:00Z');
const later = idAt('2026-11-19T02:00:00Z');
const request = { backup: 'kong', id, policyNames: ['acme'], reason: 'retention-exceeded' };
const folder = snapshotFolder('kong', id);

interface Watched {
  readonly repository: Repository;
  readonly lease: Lease;
  /** What was written and removed, in order. */
  readonly changes: string[];
}

async function watched(): Promise<Watched> {
  const plain = openMemoryRepository();
  const changes: string[] = [];
  const repository: Repository = {
    ...plain,
    put: (key, content) => (changes.push(`put ${key}`), plain.put(key, content)),
    create: (key, content) => (changes.push(`create ${key}`), plain.create(key, content)),
    remove: (key) => (changes.push(`remove ${key}`), plain.remove(key)),
  };
  const lease = await takeLease(repository, runner);
  return { repository, lease, changes };
}

describe('storing', () => {
  test('begin.json comes first, each key before its artifact, the manifest last', async () => {
    const { repository, lease, changes } = await watched();
    changes.length = 0;
    await storeSnapshot(repository, aManifest(id), lease, runner);
    const begin = beginKey('kong', id);
    expect(changes).toEqual([
      `create ${begin}`,
      `put ${begin}`,
      `put ${folder}db.db`,
      `put ${begin}`,
      `put ${folder}db/second.db`,
      `create ${manifestKey('kong', id)}`,
    ]);
    const document: unknown = JSON.parse((await repository.read(begin)).toString());
    expect(document).toMatchObject({
      policy: 'acme',
      lease: { backup: 'kong', number: 1 },
      owner: { host: 'runner-1', pid: 100 },
      keys: ['db.db', 'db/second.db'],
    });
  });

  test('keys that are added side by side are all listed', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    await Promise.all(Array.from({ length: 20 }, (_, index) => draft.addKey(`db-${index}.db`)));
    const document = JSON.parse((await repository.read(beginKey('kong', id))).toString()) as { keys: string[] };
    expect(document.keys).toHaveLength(20);
  });

  test('a manifest is refused that names what was never announced, or that is there already', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    await expect(draft.commit(aManifest(id))).rejects.toThrow(/never announced/);
    for (const key of keysOf(aManifest(id))) await repository.put(await draft.addKey(key), Buffer.from('content'));
    await draft.commit(aManifest(id));
    // The same once more is the answer that was lost.
    await draft.commit(aManifest(id));
    const another = aManifest(id, { finishedAt: '2026-11-19T03:00:00.000Z' });
    await expect(draft.commit(another)).rejects.toMatchObject({ code: 'guard' });
    await expect(beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner)).rejects.toMatchObject({
      code: 'guard',
    });
  });

  test('who lost the lease commits nothing', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    for (const key of keysOf(aManifest(id))) await repository.put(await draft.addKey(key), Buffer.from('content'));
    await breakLease(repository, { backup: 'kong', policy: 'acme', run: 'unlock' }, runner);
    await expect(draft.commit(aManifest(id))).rejects.toMatchObject({ code: 'lock' });
    await expect(draft.addKey('more.db')).rejects.toMatchObject({ code: 'lock' });
    expect(await repository.stat(manifestKey('kong', id))).toBeUndefined();
  });

  test('a manifest that comes late, after others cleaned, is never good; one that nobody touched is', async () => {
    for (const cleaned of [true, false]) {
      const { repository, lease } = await watched();
      const late: Repository = {
        ...repository,
        create: async (key, content) => {
          if (key === manifestKey('kong', id)) {
            await breakLease(repository, { backup: 'kong', policy: 'acme', run: 'unlock' }, runner);
            const other = await takeLease(repository, runner);
            if (cleaned) await cleanRemains(repository, request, other, runner);
          }
          return repository.create(key, content);
        },
      };
      const outcome = storeSnapshot(late, aManifest(id), lease, runner);
      if (cleaned) await expect(outcome).rejects.toMatchObject({ code: 'lock' });
      else await outcome;
      const found = await readSnapshot(repository, { backup: 'kong', id }, {});
      expect(found?.ok === true && isGood(found.value.record)).toBe(!cleaned);
    }
  });

  test('remains of a dead try to store the same snapshot are taken over', async () => {
    const { repository, lease } = await watched();
    const died = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    await died.addKey('old.db');
    await lease.release();
    const next = await takeLease(repository, runner);
    await storeSnapshot(repository, aManifest(id), next, runner);
    const document = JSON.parse((await repository.read(beginKey('kong', id))).toString()) as { keys: string[] };
    expect(document.keys).toEqual(['old.db', 'db.db', 'db/second.db']);
  });
});

describe('letting go', () => {
  test('a folder of files goes with all that lies in it, and nothing beside it', async () => {
    const { repository, lease } = await watched();
    const { targets, ...rest } = aManifest(id);
    const artifacts = [{ ...anArtifact('db.list'), folder: { key: 'db/', files: 2, bytes: 2 } }];
    const manifest = { ...rest, targets: { db: { ...targets['db'], artifacts } } } as Manifest;
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    await repository.put(await draft.addKey('db.list'), Buffer.from('content'));
    await expect(draft.commit(manifest)).rejects.toThrow(/db\/ was never announced/);
    const files = await draft.addKey('db/');
    const beside = [`${folder}db-2`, `${folder}db.more`, `${folder}dc/x`];
    for (const key of [`${files}a`, `${files}b`, `${files}of/nobody`, ...beside])
      await repository.put(key, Buffer.from('f'));
    await draft.commit(manifest);
    await releaseSnapshot(repository, request, lease, runner);
    expect(await repository.list(folder, 'deep')).toEqual(beside);
  });

  test('a folder of files is never listed whole, and goes whole although its pages tell only some', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    const files = await draft.addKey('db/');
    for (let n = 0; n < 100; n++) await repository.put(`${files}${n}`, Buffer.from('f'));
    const large: Repository = {
      ...repository,
      list: async (prefix, depth) => {
        if (depth === 'deep') throw new Error(`${prefix} is too large to be listed`);
        return repository.list(prefix, depth);
      },
      pages: async function* (prefix) {
        for await (const page of repository.pages(prefix)) yield page.filter((_, index) => index % 3 === 0);
      },
    };
    expect(await cleanRemains(large, request, lease, runner)).toBe(true);
    expect(await repository.list(folder, 'deep')).toEqual([]);
  });

  test('a folder of files is left alone by who has lost the lease', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    const files = await draft.addKey('db/');
    for (let n = 0; n < 2500; n++) await repository.put(`${files}${n}`, Buffer.from('f'));
    let removed = 0;
    const losing: Repository = {
      ...repository,
      remove: async (key) => {
        if (key.startsWith(files) && ++removed === 500)
          await breakLease(repository, { backup: 'kong', policy: 'acme', run: 'unlock' }, runner);
        return repository.remove(key);
      },
    };
    await expect(cleanRemains(losing, request, lease, runner)).rejects.toMatchObject({ code: 'lock' });
    expect(await repository.list(files, 'deep')).toHaveLength(1500);
    const other = await takeLease(repository, runner);
    expect(await cleanRemains(repository, request, other, runner)).toBe(true);
    expect(await repository.list(folder, 'deep')).toEqual([]);
  });

  test('the mark comes first, then the manifest goes, the artifacts, and begin.json last', async () => {
    const { repository, lease, changes } = await watched();
    await storeSnapshot(repository, aManifest(id), lease, runner);
    changes.length = 0;
    await releaseSnapshot(repository, request, lease, runner);
    expect(changes.map((change) => change.replace(/\.[0-9TZ]+-released/, '.TIME-released'))).toEqual([
      `create marks/kong/${id}.TIME-released.json`,
      `remove ${manifestKey('kong', id)}`,
      `remove ${folder}db.db`,
      `remove ${folder}db/second.db`,
      `remove ${folder}begin.json`,
    ]);
    expect(await readMarks(repository, request, null)).toMatchObject([
      { kind: 'released', data: { keys: ['db.db', 'db/second.db'], reason: 'retention-exceeded' } },
    ]);
  });

  test('files that nobody listed stay', async () => {
    const { repository, lease } = await watched();
    await storeSnapshot(repository, aManifest(id), lease, runner);
    await repository.put(`${folder}notes.txt`, Buffer.from('x'));
    await releaseSnapshot(repository, request, lease, runner);
    expect(await repository.list(folder, 'deep')).toEqual([`${folder}notes.txt`]);
  });

  test('what begin.json lists besides goes too', async () => {
    const { repository, lease } = await watched();
    const draft = await beginSnapshot(repository, { ...request, policy: 'acme' }, lease, runner);
    for (const key of [...keysOf(aManifest(id)), 'failed.db'])
      await repository.put(await draft.addKey(key), Buffer.from('x'));
    await draft.commit(aManifest(id));
    await releaseSnapshot(repository, request, lease, runner);
    expect(await repository.list('snapshots/', 'deep')).toEqual([]);
  });

  test('is refused for what is protected, unless forced; the newest mark counts, also when the clock ran backwards', async () => {
    const { repository, lease } = await watched();
    await storeSnapshot(repository, aManifest(id), lease, runner);
    await storeSnapshot(repository, aManifest(later), lease, runner);
    const early = testRunner();
    early.clock.wall -= 86_400_000;
    const mark = { backup: 'kong', policy: 'acme', data: { reason: 'audit' } };
    for (const one of [id, later]) await addMark(repository, { ...mark, id: one, kind: 'protected' }, lease, runner);
    await expect(releaseSnapshot(repository, request, lease, runner)).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('it is protected: audit'),
      hint: expect.stringContaining('unprotect'),
    });
    await addMark(repository, { ...mark, id, kind: 'unprotected' }, lease, early);
    await releaseSnapshot(repository, request, lease, runner);
    await releaseSnapshot(repository, { ...request, id: later, force: true }, lease, runner);
    expect(await repository.list('manifests/', 'deep')).toEqual([]);
  });

  test.each<[string, (watched: Watched) => Promise<unknown>, string]>([
    ['absent', async () => undefined, 'not-found'],
    ['unreadable', ({ repository }) => repository.create(manifestKey('kong', id), Buffer.from('{')), 'guard'],
    [
      'newer',
      ({ repository }) => repository.create(manifestKey('kong', id), Buffer.from('{"formatVersion":9}')),
      'guard',
    ],
    [
      'of another policy',
      ({ repository, lease }) => storeSnapshot(repository, aManifest(id, { policy: 'other' }), lease, runner),
      'guard',
    ],
  ])('is refused for what is %s', async (_, make, code) => {
    const made = await watched();
    await make(made);
    const before = await made.repository.list('', 'deep');
    await expect(releaseSnapshot(made.repository, request, made.lease, runner)).rejects.toMatchObject({ code });
    expect(await made.repository.list('', 'deep')).toEqual(before);
  });

  test('stops wherever the lease is lost, and what is left is cleaned by the next', async () => {
    for (let stopAt = 1; stopAt <= 5; stopAt++) {
      const { repository, lease } = await watched();
      await storeSnapshot(repository, aManifest(id), lease, runner);
      let looks = 0;
      const fading: Lease = {
        ...lease,
        assertHeld: async () => {
          if (++looks === stopAt)
            await breakLease(repository, { backup: 'kong', policy: 'acme', run: 'unlock' }, runner);
          await lease.assertHeld();
        },
      };
      await expect(releaseSnapshot(repository, request, fading, runner)).rejects.toMatchObject({ code: 'lock' });
      const next = await takeLease(repository, runner);
      const isThere = (await repository.stat(manifestKey('kong', id))) !== undefined;
      expect(isThere).toBe(stopAt <= 3);
      if (isThere) expect(await repository.list(folder, 'deep')).toHaveLength(3);
      else expect(await cleanRemains(repository, request, next, runner)).toBe(true);
      expect(await repository.list('snapshots/', 'deep')).toHaveLength(isThere ? 3 : 0);
    }
  });
});

describe('cleaning', () => {
  async function remains(): Promise<Watched> {
    const made = await watched();
    const draft = await beginSnapshot(made.repository, { ...request, policy: 'acme' }, made.lease, runner);
    await made.repository.put(await draft.addKey('db.db'), Buffer.from('x'));
    await draft.addKey('never-stored.db');
    return made;
  }

  test('removes what begin.json lists, and begin.json last', async () => {
    const { repository, lease, changes } = await remains();
    await lease.release();
    const next = await takeLease(repository, runner);
    changes.length = 0;
    expect(await cleanRemains(repository, request, next, runner)).toBe(true);
    expect(changes.map((change) => change.replace(/\.[0-9TZ]+-released/, '.TIME-released'))).toEqual([
      `put ${folder}begin.json`,
      `create marks/kong/${id}.TIME-released.json`,
      `remove ${folder}db.db`,
      `remove ${folder}never-stored.db`,
      `remove ${folder}begin.json`,
    ]);
    expect(await repository.list('snapshots/', 'deep')).toEqual([]);
    expect(await cleanRemains(repository, { ...request, id: later }, next, runner)).toBe(false);
  });

  test('is refused while another run may be at work', async () => {
    const { repository } = await remains();
    const other = await takeLease(repository, testRunner({ host: testHost({ name: 'runner-2' }) }), { backup: 'web' });
    await expect(cleanRemains(repository, request, other, runner)).rejects.toMatchObject({
      code: 'guard',
      hint: expect.stringContaining('process 100 on runner-1'),
    });
    expect(await repository.list(folder, 'deep')).toHaveLength(2);
  });

  test('leaves alone what has a manifest, belongs to others, or that nobody listed', async () => {
    const { repository, lease } = await watched();
    await storeSnapshot(repository, aManifest(id), lease, runner);
    expect(await cleanRemains(repository, request, lease, runner)).toBe(false);
    expect(await readMarks(repository, request, null)).toEqual([]);
    await repository.put(`${snapshotFolder('kong', later)}db.db`, Buffer.from('x'));
    expect(await cleanRemains(repository, { ...request, id: later }, lease, runner)).toBe(false);
    await beginSnapshot(repository, { backup: 'web', id, policy: 'other' }, lease, runner);
    await expect(cleanRemains(repository, { ...request, backup: 'web' }, lease, runner)).rejects.toMatchObject({
      code: 'guard',
    });
    expect(await repository.list('snapshots/', 'deep')).toHaveLength(5);
  });

  test.each(['../../manifests/kong/x.json', '/etc/passwd', 'begin.json', 'a/../../b'])(
    'never touches a key outside: %s',
    async (key) => {
      const { repository, lease } = await remains();
      const begin = JSON.parse((await repository.read(beginKey('kong', id))).toString()) as object;
      await repository.put(beginKey('kong', id), Buffer.from(JSON.stringify({ ...begin, keys: [key] })));
      expect(await cleanRemains(repository, request, lease, runner)).toBe(false);
      const data = { keys: [key], reason: 'x' };
      await addMark(repository, { backup: 'kong', id, policy: 'acme', kind: 'released', data }, lease, runner);
      await expect(cleanRemains(repository, request, lease, runner)).rejects.toThrow();
      expect(await repository.list(folder, 'deep')).toHaveLength(2);
    },
  );
});
