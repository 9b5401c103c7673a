/**
 * A run that has stored all artifacts of a snapshot and waits for a line on stdin before each further step:
 * `node paused-child.ts ROOT LEASE_MS ID OLD_ID`. Says how each ended.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { BkpError } from '../../src/errors.ts';
import { openDirectoryRepository } from '../../src/repositories/directory.ts';
import { addMark } from '../../src/snapshots/marks.ts';
import { releaseSnapshot } from '../../src/snapshots/release-snapshot.ts';
import { beginSnapshot } from '../../src/snapshots/snapshot-draft.ts';
import { systemClock } from '../../src/system/clock.ts';
import { describeHost } from '../../src/system/host.ts';
import { aManifest, keysOf, takeLease } from './fixtures.ts';

const [root = '', leaseMs = '', id = '', oldId = ''] = process.argv.slice(2);
const context = {
  clock: systemClock,
  host: describeHost(),
  signal: new AbortController().signal,
  emit: () => undefined,
};
const repository = openDirectoryRepository({ path: root }, context);
const manifest = aManifest(id);
const old = { backup: 'kong', id: oldId, policyNames: ['acme'], reason: 'retention-exceeded' };

const lease = await takeLease(repository, context, { leaseMs: Number(leaseMs), run: 'paused' });
const draft = await beginSnapshot(repository, manifest, lease, context);
for (const key of keysOf(manifest)) await repository.put(await draft.addKey(key), Buffer.from('content'));

const steps: Readonly<Record<string, () => Promise<unknown>>> = {
  hold: () => lease.assertHeld(),
  mark: () => addMark(repository, { ...manifest, id: oldId, kind: 'verified', data: {} }, lease, context),
  release: () => releaseSnapshot(repository, old, lease, context),
  commit: () => draft.commit(manifest),
};
writeSync(1, 'ready\n');
for await (const step of createInterface({ input: process.stdin })) {
  const end = await steps[step]?.().then(
    () => 'done',
    (error: unknown) => (error instanceof BkpError ? error.code : String(error)),
  );
  writeSync(1, `${step} ${end}\n`);
}
