import type { Context } from '../context.ts';
import { integrityError, notFoundError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import { addMark } from '../snapshots/marks.ts';
import type { Manifest, ManifestArtifact } from '../snapshots/manifest.ts';
import { moveKeys } from '../snapshots/move-keys.ts';
import { holdSnapshot, lockArtifacts } from '../snapshots/object-lock.ts';
import { inTermsOfManifest, type Replacement, withReplacements } from '../snapshots/replacements.ts';
import { artifactKeys } from '../snapshots/manifest-codec.ts';
import { readSnapshot } from '../snapshots/read-snapshot.ts';
import { cleanRemains } from '../snapshots/remove-remains.ts';
import { beginSnapshot } from '../snapshots/snapshot-draft.ts';
import { isBeingRemoved, newestMark, protection } from '../snapshots/standing.ts';
import { type Beside, commitBeside, dropBeside } from './besides.ts';
import { copyArtifact, DamagedSource, hasArrived, type ArtifactPlace } from './copy-artifact.ts';
import { copyFolder } from './copy-folder.ts';
import { encryptionFor } from './encryption-of.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { folderOf, markedSnapshot, readable, recordOf, snapshotOf, writable } from './holder.ts';
import { isStoredFor, type Reencryption, reencryptSnapshot } from './reencrypt.ts';
import { type KnownBytes, knownBytes } from './known-bytes.ts';
import { requireManifest, requireSigned } from './require-manifest.ts';
import { stoppable } from './session.ts';
import type { Step } from './step.ts';
import { storeInstead } from './store-instead.ts';
import { askServers } from './verify-references.ts';
import { damageData, verifySnapshot } from './verify-snapshot.ts';

interface Source {
  readonly name: string;
  readonly repository: Repository;
  /** Folder of the backup there. */
  readonly backup: string;
  readonly manifest: Manifest;
}

/** Copies a snapshot into a repository that lacks it, or brings back the artifacts that are missing or damaged there. */
export async function copyStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const id = snapshotOf(execution, step);
  const passed = execution.besides.get(step.id);
  if (passed !== undefined) {
    await finishBeside(execution, passed.beside, passed.captured);
    tellReferences(execution, step, passed.captured);
    execution.stored.push({ repository: step.repository, backup: passed.captured.backup, id });
    return { snapshot: id, flaws: [] };
  }
  const name = step.from ?? '';
  const repository = readable(execution, name);
  const backup = folderOf(execution, name, id);
  const manifest = await requireSigned(repository, markedSnapshot(execution, name, id), execution.session.context);
  const source = { name, repository, backup, manifest };
  try {
    const stored = step.action === 'replace' ? replaceArtifacts : copyWhole;
    execution.stored.push({ repository: step.repository, backup: await stored(execution, step, source), id });
    tellReferences(execution, step, manifest);
  } catch (error) {
    if (error instanceof DamagedSource && (await isStillThere(source, execution.session.context)))
      await markSource(execution, source, [error.artifact], error.message, false);
    throw error;
  }
  return { snapshot: id, flaws: [] };
}

/** A copy of a reference is no copy of the data. */
function tellReferences({ session }: BackupExecution, { repository }: Step, { targets }: Manifest): void {
  const names = Object.entries(targets).flatMap(([name, { references = [] }]) => (references.length > 0 ? [name] : []));
  if (names.length === 0) return;
  const message = `${repository} has the reference only of ${names.join(', ')}: the data stays with the server`;
  session.context.emit({ type: 'note', message });
}

/** The capture brought the bytes here too; what it could not bring is left to a copy of the next run. */
async function finishBeside({ session }: BackupExecution, beside: Beside, captured: Manifest): Promise<void> {
  try {
    await commitBeside(beside, captured, stoppable(session));
  } catch (error) {
    await dropBeside(beside, session);
    throw error;
  }
}

/** Another run may have let the source go while it was read: then it is not damaged. */
async function isStillThere({ repository, backup, manifest: { id } }: Source, context: Context): Promise<boolean> {
  const now = await readSnapshot(repository, { backup, id }, context);
  return now?.ok === true && !isBeingRemoved(now.value.record);
}

/** What a copy learns about its source is remembered, so that the next plan does not rely on it. */
async function markSource(
  execution: BackupExecution,
  { name, repository, backup, manifest }: Source,
  artifacts: readonly unknown[],
  reason: string,
  deep: boolean,
): Promise<void> {
  const { id, policy } = manifest;
  const lease = execution.repositories.get(name)?.lease ?? null;
  const mark = { backup, id, policy, kind: 'damaged' as const, data: { artifacts, reason, deep } };
  await addMark(repository, mark, lease, execution.session.context);
}

async function copyWhole(execution: BackupExecution, step: Step, source: Source): Promise<string> {
  const { session } = execution;
  const { repository, lease } = writable(execution, step.repository);
  const { backup, id, policy } = source.manifest;
  const wanted = execution.backup === undefined ? null : encryptionFor(session, execution.backup, repository);
  const ownBytes = !isStoredFor(source.manifest, wanted);
  const writer = await beginSnapshot(repository, { backup, id, policy, ownBytes }, lease, session.context);
  const context = stoppable(session);
  const manifest = await bringWhole().catch(async (error: unknown) => {
    // What arrived stays for the next try, unless there is nothing to take the rest from.
    if (error instanceof DamagedSource)
      await cleanRemains(repository, { backup, id, policyNames: [policy] }, lease, session.context).catch(
        () => undefined,
      );
    throw error;
  });
  const record = recordOf(execution, source.name, id);
  const guarded = record === undefined ? null : protection(record);
  if (guarded === null) return backup;
  await addMark(repository, { backup, id, policy, kind: 'protected', data: guarded }, lease, session.context);
  await holdSnapshot(repository, { backup, id }, artifactKeys(manifest), true);
  return backup;

  async function bringWhole(): Promise<Manifest> {
    const brought = ownBytes
      ? await reencryptSnapshot({ from: source, to: { repository, draft: writer }, wanted }, context)
      : await copyStored(
          source,
          { repository, draft: writer },
          await knownBytes(execution, step.repository, repository),
          context,
        );
    await writer.commit(brought);
    return brought;
  }
}

/** Brings the stored bytes as they are; returns the manifest to commit. */
async function copyStored(
  source: Source,
  { repository, draft }: Reencryption['to'],
  known: KnownBytes,
  context: Context,
): Promise<Manifest> {
  const manifest = moveKeys(source.manifest, draft.prefix);
  const folder = snapshotFolder(draft.backup, draft.id);
  for (const { from, artifact, target } of pairs(source, manifest)) {
    const to = { repository, folder, artifact };
    if (artifact.folder !== undefined) await draft.addKey(artifact.folder.key);
    await draft.addKey(artifact.key);
    if (artifact.folder !== undefined) {
      const isThereInPart = draft.announced.has(artifact.folder.key);
      await copyFolder({ from, to, known: known.folders.get(target), isThereInPart }, context);
      continue;
    }
    if (draft.announced.has(artifact.key) && (await hasArrived(to, context))) continue;
    const same = known.keys.get(artifact.storedSha256);
    if (same !== undefined && (await repository.clone(same, folder + artifact.key)) && (await hasArrived(to, context)))
      continue;
    await copyArtifact(from, to, context);
  }
  return manifest;
}

async function replaceArtifacts(execution: BackupExecution, step: Step, source: Source): Promise<string> {
  const { session } = execution;
  const { repository, lease } = writable(execution, step.repository);
  const { id, policy } = source.manifest;
  const marked = markedSnapshot(execution, step.repository, id);
  const { backup } = marked;
  const before = await requireManifest(repository, marked);
  const folder = snapshotFolder(backup, id);
  const wanted = pairs(source, before).filter(
    ({ artifact }) => step.artifacts.length === 0 || step.artifacts.includes(artifact.key),
  );
  const stored: Replacement[] = [];
  for (const { from, artifact } of wanted) {
    await lease.assertHeld();
    const isSame = from.artifact.storedSha256 === artifact.storedSha256;
    const to = { repository, folder, artifact };
    if (isSame && artifact.folder !== undefined)
      await copyFolder({ from, to, known: undefined, isThereInPart: true }, stoppable(session));
    else if (isSame) await copyArtifact(from, to, stoppable(session));
    else
      stored.push(
        await storeInstead({ from, artifact, repository, backup, manifest: before }, lease, stoppable(session)),
      );
  }
  const at = session.context.clock.now().toISOString();
  const manifest = withReplacements(before, [{ kind: 'verified', at, data: { stored } }]);
  await keepLikeTheRest(execution, step, manifest, backup);
  const record = recordOf(execution, step.repository, id);
  const deep = record !== undefined && newestMark(record.marks, 'damaged')?.data['deep'] === true;
  if (deep) await assertReadable(execution, step, source, manifest, backup);
  const all = { deep, replaced: wanted.map(({ artifact }) => artifact.key) };
  const data = stored.length === 0 ? all : { ...all, stored: inTermsOfManifest(stored, marked.marks) };
  await addMark(repository, { backup, id, policy, kind: 'verified', data }, lease, session.context);
  return backup;
}

/** What was brought back is locked as long as the rest of its snapshot, and held where that is. */
async function keepLikeTheRest(
  execution: BackupExecution,
  { repository: name }: Step,
  manifest: Manifest,
  backup: string,
): Promise<void> {
  const { repository, lease } = writable(execution, name);
  const { id, lockedUntil } = manifest;
  const keys = artifactKeys(manifest);
  await lease.assertHeld();
  if (lockedUntil !== undefined && new Date(lockedUntil) > execution.session.context.clock.now())
    await lockArtifacts(repository, { backup, id }, keys, new Date(lockedUntil));
  const record = recordOf(execution, name, id);
  if (record !== undefined && protection(record) !== null) await holdSnapshot(repository, { backup, id }, keys, true);
}

/** Every artifact of the receiver's manifest with where its bytes come from: the two may have other keys. */
function pairs(
  { repository, backup, manifest }: Source,
  receiver: Manifest,
): readonly { readonly from: ArtifactPlace; readonly artifact: ManifestArtifact; readonly target: string }[] {
  const folder = snapshotFolder(backup, manifest.id);
  return Object.entries(receiver.targets).flatMap(([name, target]) =>
    target.artifacts.map((artifact, index) => {
      const there = manifest.targets[name]?.artifacts ?? [];
      // Names may be sealed in one of the two; the order never changes.
      const inOrder = there.length === target.artifacts.length ? there[index] : undefined;
      const same = there.find((one) => one.name === artifact.name) ?? inOrder;
      if (same === undefined)
        throw notFoundError(`cannot copy ${artifact.key}: ${repository.location} has no such artifact of ${name}`);
      return { artifact, target: name, from: { repository, folder, artifact: same } };
    }),
  );
}

/** What the engine found wrong although every byte was right is wrong in the source too. */
async function assertReadable(
  execution: BackupExecution,
  step: Step,
  source: Source,
  manifest: Manifest,
  backup: string,
): Promise<void> {
  const { session } = execution;
  const { repository } = writable(execution, step.repository);
  const found = await verifySnapshot(
    repository,
    manifest,
    backup,
    true,
    session.policy,
    stoppable(session),
    askServers(session),
  );
  if (found.damaged.length === 0) return;
  const { artifacts, reason } = damageData(found);
  await markSource(execution, source, Array.isArray(artifacts) ? artifacts : [], String(reason), true);
  throw integrityError(
    `cannot replace ${backup}@${source.manifest.id}: the copy in ${source.name} is damaged too: ${String(reason)}`,
  );
}
