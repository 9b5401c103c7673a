import { expect, test } from 'vitest';
import { makeSigningKeys, readSigningKey } from '../../src/signing/ed25519-key.ts';
import { signArrival, trustedArrivals, type Arrival } from '../../src/snapshots/arrivals.ts';
import { parseBegin, writeBegin } from '../../src/snapshots/begin.ts';
import { beginSnapshot } from '../../src/snapshots/snapshot-draft.ts';
import { beginKey } from '../../src/snapshots/keys.ts';
import { cleanRemains } from '../../src/snapshots/remove-remains.ts';
import { newMemoryStore, openMemoryRepository } from '../repositories/memory-repository.ts';
import { idAt, takeLease, testRunner } from './fixtures.ts';

const [key, other] = [readSigningKey(makeSigningKeys().privateKey), readSigningKey(makeSigningKeys().privateKey)];
const name = { backup: 'kong', id: idAt('2026-11-19T02:00:00Z') };
const arrival: Arrival = {
  as: 'db.db.age',
  key: 'db.db.age',
  recipients: ['age1mine'],
  storedBytes: 7,
  storedSha256: 'a'.repeat(64),
};

test('where signatures count, only what a key that counts signed at this place stands for an artifact', () => {
  const signed = signArrival(arrival, name, 'here', key);
  const kept = (one: Arrival, place = 'here', of = name): number =>
    trustedArrivals([one], of, place, [key.publicKey]).length;
  expect(kept(signed)).toBe(1);
  expect(kept(arrival)).toBe(0);
  expect(kept(signArrival(arrival, name, 'here', other))).toBe(0);
  expect(kept({ ...signed, storedSha256: 'b'.repeat(64) })).toBe(0);
  expect(kept({ ...signed, recipients: [] })).toBe(0);
  expect(kept(signed, 'elsewhere')).toBe(0);
  expect(kept(signed, 'here', { ...name, id: idAt('2026-11-20T02:00:00Z') })).toBe(0);
  expect(trustedArrivals([arrival], name, 'here', null)).toEqual([arrival]);
});

test('a try under keys of its own sees what arrived in earlier ones, until somebody cleans it away', async () => {
  const repository = openMemoryRepository(newMemoryStore());
  const runner = testRunner();
  const begin = async (isClean = false) => {
    const lease = await takeLease(repository, runner);
    if (isClean) await cleanRemains(repository, { ...name, policyNames: ['acme'] }, lease, runner);
    const draft = await beginSnapshot(repository, { ...name, policy: 'acme', ownBytes: true }, lease, runner);
    await lease.release();
    return draft;
  };
  const store = async (prefix: string): Promise<void> => {
    const lease = await takeLease(repository, runner);
    const draft = await beginSnapshot(repository, { ...name, policy: 'acme', ownBytes: true }, lease, runner);
    expect(draft.prefix.startsWith(prefix)).toBe(true);
    const itsKey = `${draft.prefix}db.db.age`;
    await repository.put(await draft.addKey(itsKey), Buffer.from('content'));
    await draft.noteArrival({ ...arrival, key: itsKey });
    await lease.release();
  };
  await store('');
  await store('copy~');
  const third = await begin();
  expect(third.arrived.map((one) => one.key)).toEqual([
    'db.db.age',
    expect.stringMatching(/^copy~run-\d+\/db\.db\.age$/),
  ]);
  const parsed = parseBegin(await repository.read(beginKey(name.backup, name.id)), name);
  if (!parsed.ok) throw new Error(parsed.message);
  expect(parseBegin(writeBegin(parsed.value), name)).toEqual(parsed);
  // Of other bytes under the same key a copy as they are must know nothing.
  const lease = await takeLease(repository, runner);
  const asTheyAre = await beginSnapshot(repository, { ...name, policy: 'acme' }, lease, runner);
  expect(asTheyAre.prefix).not.toBe('');
  expect(asTheyAre.announced.size).toBe(0);
  await lease.release();
  expect((await begin(true)).arrived).toEqual([]);
});
