import { describe, expect, test } from 'vitest';
import type { Repository } from '../../src/repositories/repository.ts';
import { makeSigningKeys } from '../../src/signing/ed25519-key.ts';
import { signingWith, type Signing } from '../../src/signing/signing.ts';
import { openCatalog } from '../../src/snapshots/catalog.ts';
import { initializeRepository } from '../../src/snapshots/identity.ts';
import type { MarkRecord, RepositoryInventory, SnapshotRecord } from '../../src/snapshots/inventory.ts';
import { manifestKey, markKey, snapshotFolder } from '../../src/snapshots/keys.ts';
import type { MarkKind } from '../../src/snapshots/manifest.ts';
import { addMark, readMarks } from '../../src/snapshots/marks.ts';
import { readSnapshot } from '../../src/snapshots/read-snapshot.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { writeRun } from '../../src/snapshots/runs.ts';
import { isGood, protection, verifiedAt } from '../../src/snapshots/standing.ts';
import { openMemoryRepository } from '../repositories/memory-repository.ts';
import { testFolder } from '../test-context.ts';
import { aManifest, idAt, inventoryOf, storeSnapshot, takeLease, testRunner } from './fixtures.ts';
import { aRun } from './run-fixture.ts';

const mine = makeSigningKeys();
const theirs = makeSigningKeys();
const signingOf = ({ publicKey, privateKey }: typeof mine): Signing => signingWith([publicKey], () => privateKey);

const nobody = testRunner();
const runner = { ...testRunner(), signing: signingOf(mine) };
const attacker = { ...testRunner(), signing: signingOf(theirs) };
const trusted = [mine.publicKey];
const id = idAt('2026-11-19T02:00:00Z');
const name = { backup: 'kong', id };

async function stored(by: typeof nobody, repository = openMemoryRepository()): Promise<Repository> {
  await initializeRepository(repository, by);
  const lease = await takeLease(repository, by);
  await storeSnapshot(repository, aManifest(id), lease, by);
  await lease.release();
  return repository;
}

const look = (repository: Repository, keys: readonly string[] | null = trusted): Promise<RepositoryInventory> =>
  inventoryOf(repository, nobody, { trusted: keys });
const only = ({ snapshots }: RepositoryInventory): SnapshotRecord => {
  const [record] = snapshots;
  if (record === undefined || snapshots.length !== 1) throw new Error(`${snapshots.length} snapshots`);
  return record;
};
const forge = (repository: Repository, kind: MarkKind, data = {}, by = nobody): Promise<MarkRecord> =>
  addMark(repository, { ...name, policy: 'acme', kind, data }, null, by);

describe('a manifest', () => {
  test('that is signed counts, with and without keys that count', async () => {
    const repository = await stored(runner);
    expect(only(await look(repository))).toMatchObject({ signedBy: mine.publicKey });
    expect(isGood(only(await look(repository)))).toBe(true);
    expect(isGood(only(await look(repository, null)))).toBe(true);
  });

  test.each([
    ['without a signature', nobody, 'it has no signature'],
    ['signed with another key', attacker, `it is signed with ${theirs.publicKey}, which the policy does not name`],
  ])('%s never counts', async (_name, by, reason) => {
    const repository = await stored(by);
    const record = only(await look(repository));
    expect(record.unsigned).toBe(reason);
    expect(isGood(record)).toBe(false);
    const found = await readSnapshot(repository, name, runner);
    expect(found?.ok === true && found.value.record.unsigned).toBe(reason);
    // Where nobody asks for signatures, nothing changes.
    expect(isGood(only(await look(repository, null)))).toBe(true);
  });

  test('changed by hand has a wrong signature', async () => {
    const repository = await stored(runner);
    const text = (await repository.read(manifestKey('kong', id))).toString();
    await repository.put(manifestKey('kong', id), Buffer.from(text.replace('"events": 12', '"events": 13')));
    expect(only(await look(repository))).toMatchObject({ signedBy: null, unsigned: 'its signature is wrong' });
  });

  test('is adopted by a signed mark over its very bytes, until they change', async () => {
    const repository = await stored(nobody);
    const found = await readSnapshot(repository, name, runner);
    const sha256 = found?.ok === true ? found.value.sha256 : '';
    await forge(repository, 'signed', { manifestSha256: sha256 }, attacker);
    expect(only(await look(repository)).unsigned).toBe('it has no signature');
    await forge(repository, 'signed', { manifestSha256: sha256 }, runner);
    expect(isGood(only(await look(repository)))).toBe(true);
    const again = await readSnapshot(repository, name, runner);
    expect(again?.ok === true && again.value.record.unsigned).toBeUndefined();
    const bytes = await repository.read(manifestKey('kong', id));
    await repository.put(manifestKey('kong', id), Buffer.concat([bytes, Buffer.from('\n')]));
    expect(only(await look(repository)).unsigned).toBe('it has no signature');
  });

  test.each(['', 'a'.repeat(64), 'b'])('is not adopted by a mark that names %j', async (manifestSha256) => {
    const repository = await stored(nobody);
    await forge(repository, 'signed', { manifestSha256 }, runner);
    expect(only(await look(repository)).unsigned).toBe('it has no signature');
  });

  test('is judged from the catalog by the keys of today', async () => {
    const repository = await stored(runner);
    const catalog = openCatalog(await testFolder());
    const asked = async (keys: readonly string[]): Promise<SnapshotRecord> =>
      only(await inventoryOf(repository, nobody, { trusted: keys, catalog }));
    expect(isGood(await asked(trusted))).toBe(true);
    expect(isGood(await asked([theirs.publicKey]))).toBe(false);
    expect(isGood(await asked([theirs.publicKey, mine.publicKey]))).toBe(true);
  });

  test('is never removed while it does not count, unless a person says so', async () => {
    const repository = await stored(nobody);
    const lease = await takeLease(repository, runner);
    const request = { ...name, policyNames: ['acme'], reason: 'retention-exceeded' };
    await expect(releaseSnapshot(repository, request, lease, runner)).rejects.toThrow(
      'does not count: it has no signature',
    );
    expect(await repository.stat(manifestKey('kong', id))).toBeDefined();
    await releaseSnapshot(repository, { ...request, acceptUnsigned: true }, lease, runner);
    expect(await repository.stat(manifestKey('kong', id))).toBeUndefined();
    await lease.release();
  });
});

describe('a mark', () => {
  test('that is signed counts in its own repository only', async () => {
    const [here, there] = [await stored(runner), await stored(runner)];
    const { at } = await forge(here, 'verified', { deep: false }, runner);
    expect(verifiedAt(only(await look(here)))).toBe(at);
    const key = markKey('kong', id, new Date(at), 'verified');
    await there.put(key, await here.read(key));
    const moved = await look(there);
    expect(verifiedAt(only(moved))).toBeNull();
    expect(moved.ignoredMarks).toEqual([{ ...name, kind: 'verified' }]);
  });

  test.each(['nobody', 'another key'])('of %s neither releases, frees, vouches nor condemns', async (who) => {
    const by = who === 'nobody' ? nobody : attacker;
    const repository = await stored(runner);
    await forge(repository, 'protected', { reason: 'audit' }, runner);
    await forge(repository, 'unprotected', {}, by);
    await forge(repository, 'damaged', { artifacts: [], reason: 'no', deep: false }, by);
    await forge(repository, 'released', { keys: ['db.db'], reason: 'retention-exceeded', run: 'x' }, by);
    await forge(repository, 'verified', { deep: true }, by);
    const inventory = await look(repository);
    const record = only(inventory);
    expect(isGood(record)).toBe(true);
    expect(verifiedAt(record)).toBeNull();
    expect(protection(record)).toEqual({ reason: 'audit' });
    expect(inventory.ignoredMarks?.map(({ kind }) => kind)).toEqual(['unprotected', 'damaged', 'released', 'verified']);
    expect((await readMarks(repository, name, trusted)).map(({ kind }) => kind)).toEqual(['protected']);
  });

  test('that only holds something back counts whoever wrote it', async () => {
    const repository = await stored(runner);
    await forge(repository, 'protected', { reason: 'before keys' });
    await forge(repository, 'restored', { restore: 'staging', destination: 'x' });
    const record = only(await look(repository));
    expect(protection(record)).toEqual({ reason: 'before keys' });
    expect(record.marks.map(({ kind }) => kind)).toEqual(['protected', 'restored']);
  });

  test('does not keep a snapshot that is gone from coming back, unless it counts', async () => {
    const repository = await stored(runner);
    await repository.remove(manifestKey('kong', id));
    await forge(repository, 'released', { keys: ['db.db'], reason: 'retention-exceeded', run: 'x' });
    expect((await look(repository)).gone).toEqual([]);
    expect((await look(repository, null)).gone).toHaveLength(1);
  });

  test('cannot be set without a private key', async () => {
    const repository = await stored(runner);
    const without = { ...testRunner(), signing: signingWith(trusted, () => undefined) };
    await expect(forge(repository, 'verified', {}, without)).rejects.toThrow('cannot sign snapshots');
    await expect(stored(without, openMemoryRepository())).rejects.toThrow('cannot sign snapshots');
    expect(await readMarks(repository, name, null)).toEqual([]);
  });
});

test('what a released mark that does not count lists is not cleaned', async () => {
  const repository = await stored(runner);
  await repository.remove(manifestKey('kong', id));
  await repository.remove(`${snapshotFolder('kong', id)}begin.json`);
  await forge(repository, 'released', { keys: ['db.db'], reason: 'retention-exceeded', run: 'x' });
  expect((await look(repository)).remains).toMatchObject([{ kind: 'unknown', keys: [] }]);
  const lease = await takeLease(repository, runner);
  expect(await cleanRemains(repository, { ...name, policyNames: ['acme'] }, lease, runner)).toBe(false);
  expect(await repository.stat(`${snapshotFolder('kong', id)}db.db`)).toBeDefined();
  await lease.release();
});

test('a run record that does not count only holds something back', async () => {
  const repository = await stored(runner);
  const setAside = [
    { type: 'sqlite', reference: '/x', host: 'h', target: 'db', into: {}, until: '2026-01-01T00:00:00Z' },
  ];
  const removal = {
    action: 'prune',
    address: 'kong@nas',
    reason: '',
    outcome: 'done',
    snapshot: id,
    error: null,
  } as const;
  const storage = { ...removal, action: 'create' } as const;
  const run = aRun(idAt('2026-11-19T03:00:00Z'), { setAside, steps: [storage, removal], owedHooks: [['true']] });
  await writeRun(repository, run, {});
  expect((await look(repository)).runs).toMatchObject([
    { setAside: [], owedHooks: [], definitionSha256: null, steps: [{ action: 'create' }] },
  ]);
  await writeRun(repository, run, runner);
  expect((await look(repository)).runs).toMatchObject([{ setAside, steps: [storage, removal] }]);
  await writeRun(repository, run, attacker);
  expect((await look(repository)).runs).toMatchObject([{ setAside: [] }]);
});

test('a copy without changes keeps its signature, a changed one is signed anew or loses it', async () => {
  const source = await stored(runner);
  const found = await readSnapshot(source, name, runner);
  const manifest = found?.ok === true ? found.value.manifest : aManifest(id);
  const changed = { ...manifest, protect: true };
  const outcome = async (by: typeof nobody, copied: typeof manifest): Promise<unknown> => {
    const repository = openMemoryRepository();
    await initializeRepository(repository, by);
    const lease: Awaited<ReturnType<typeof takeLease>> = await takeLease(repository, by);
    await storeSnapshot(repository, copied, lease, by);
    await lease.release();
    return only(await look(repository, null)).signedBy;
  };
  expect(await outcome(runner, manifest)).toBe(mine.publicKey);
  expect(await outcome(nobody, manifest)).toBe(mine.publicKey);
  expect(await outcome(attacker, manifest)).toBe(theirs.publicKey);
  expect(await outcome(runner, changed)).toBe(mine.publicKey);
  expect(await outcome(nobody, changed)).toBeUndefined();
});
