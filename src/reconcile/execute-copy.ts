import { addMark } from '../snapshots/marks.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { beginSnapshot } from '../snapshots/snapshot-draft.ts';
import { protection } from '../snapshots/standing.ts';
import { copyArtifact } from './copy-snapshot.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { folderOf, readable, recordOf, snapshotOf, writable } from './holder.ts';
import { requireManifest } from './require-manifest.ts';
import { stoppable } from './session.ts';
import type { Step } from './step.ts';

/** Copies a snapshot into a repository that lacks it, or brings back the artifacts that are missing or damaged there. */
export async function copyStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const id = snapshotOf(execution, step);
  const from = readable(execution, step.from ?? '');
  const fromBackup = folderOf(execution, step.from ?? '', id);
  const manifest = await requireManifest(from, { backup: fromBackup, id });
  if (step.action === 'replace') await replaceArtifacts(execution, step, manifest, fromBackup);
  else await copyWhole(execution, step, manifest, fromBackup);
  return { snapshot: id, flaws: [] };
}

async function copyWhole(
  execution: BackupExecution,
  step: Step,
  manifest: Manifest,
  fromBackup: string,
): Promise<void> {
  const { session } = execution;
  const { repository, lease } = writable(execution, step.repository);
  const { backup, id, policy } = manifest;
  const writer = await beginSnapshot(repository, { backup, id, policy }, lease, session.context);
  try {
    for (const artifact of artifactsOf(manifest)) {
      await writer.addKey(artifact.key);
      await copyArtifact(
        {
          manifest,
          artifact,
          from: readable(execution, step.from ?? ''),
          to: repository,
          fromBackup,
          toBackup: backup,
        },
        stoppable(session),
      );
    }
    await writer.commit(manifest);
  } catch (error) {
    await cleanRemains(repository, { backup, id, policyNames: [policy] }, lease, session.context).catch(
      () => undefined,
    );
    throw error;
  }
  const source = recordOf(execution, step.from ?? '', id);
  const guarded = source === undefined ? null : protection(source);
  if (guarded !== null)
    await addMark(repository, { backup, id, policy, kind: 'protected', data: guarded }, lease, session.context);
}

async function replaceArtifacts(
  execution: BackupExecution,
  step: Step,
  manifest: Manifest,
  fromBackup: string,
): Promise<void> {
  const { session } = execution;
  const { repository, lease } = writable(execution, step.repository);
  const toBackup = folderOf(execution, step.repository, manifest.id);
  const wanted = artifactsOf(manifest).filter(
    (artifact) => step.artifacts.length === 0 || step.artifacts.includes(artifact.key),
  );
  for (const artifact of wanted) {
    await lease.assertHeld();
    await copyArtifact(
      { manifest, artifact, from: readable(execution, step.from ?? ''), to: repository, fromBackup, toBackup },
      stoppable(session),
    );
  }
  await addMark(
    repository,
    {
      backup: toBackup,
      id: manifest.id,
      policy: manifest.policy,
      kind: 'verified',
      data: { deep: false, replaced: wanted.map(({ key }) => key) },
    },
    lease,
    session.context,
  );
}

const artifactsOf = (manifest: Manifest): readonly Manifest['targets'][string]['artifacts'][number][] =>
  Object.values(manifest.targets).flatMap((target) => target.artifacts);
