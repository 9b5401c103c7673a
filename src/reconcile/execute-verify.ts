import { integrityError } from '../errors.ts';
import { addMark } from '../snapshots/marks.ts';
import type { StepDone } from './execute-step.ts';
import type { BackupExecution } from './execution.ts';
import { folderOf, markedSnapshot, snapshotOf, writable } from './holder.ts';
import { requireManifest } from './require-manifest.ts';
import { stoppable } from './session.ts';
import type { Step } from './step.ts';
import { askServers } from './verify-references.ts';
import { damageData, verifySnapshot } from './verify-snapshot.ts';

/** Checks a snapshot in one repository and marks it verified or damaged; damage fails the step. */
export async function verifyStep(execution: BackupExecution, step: Step): Promise<StepDone> {
  const { session } = execution;
  const id = snapshotOf(execution, step);
  const { repository, lease } = writable(execution, step.repository);
  const backup = folderOf(execution, step.repository, id);
  const manifest = await requireManifest(repository, markedSnapshot(execution, step.repository, id));
  const deep = step.reason.data['deep'] === true;
  const found = await verifySnapshot(
    repository,
    manifest,
    backup,
    deep,
    session.policy,
    stoppable(session),
    askServers(session),
  );
  const { damaged } = found;
  const mark = { backup, id, policy: manifest.policy };
  if (damaged.length === 0) {
    await addMark(repository, { ...mark, kind: 'verified', data: { deep } }, lease, session.context);
    return { snapshot: id, flaws: [] };
  }
  await addMark(repository, { ...mark, kind: 'damaged', data: damageData(found) }, lease, session.context);
  throw integrityError(
    `cannot trust ${backup}@${id} in ${step.repository}: ${damaged.map(({ reason }) => reason).join('; ')}`,
    {
      hint: '`bkp plan` shows whether another repository can replace what is damaged',
    },
  );
}
