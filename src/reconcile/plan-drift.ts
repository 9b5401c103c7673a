import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import type { RepositoryInventory, TamperedManifest } from '../snapshots/inventory.ts';
import type { RunRecord } from '../snapshots/run-record.ts';
import { ownNames } from './backup-view.ts';
import { addressOf } from './draft.ts';
import type { Observation } from './observation.ts';
import { commandLine, count } from './phrases.ts';
import { missingSnapshots, type MissingSnapshot } from './plan-missing.ts';
import { noticeReferences } from './plan-references.ts';
import { noticeUnsigned } from './plan-unsigned.ts';
import type { PlanNotice } from './step.ts';

/**
 * What changed in the repositories without bkp: recorded snapshots that are gone, manifests that cannot be used, runs
 * that died owing hooks, snapshots of other policies. Listed, never acted upon.
 */
export function noticeDrift(policy: ResolvedPolicy, observation: Observation): readonly PlanNotice[] {
  const ready = observation.repositories.filter((repository) => repository.state === 'ready');
  const gone = missingSnapshots(policy, observation);
  const names = new Set(ownNames(policy));
  const inRepositories = ready.flatMap(({ name, inventory }) => [
    ...inventory.unreadable.map((manifest): PlanNotice => ({
      code: 'drift',
      message: `manifest ${manifest.backup}/${manifest.id} in ${name} cannot be used: ${manifest.message}`,
      hint: manifest.reason === 'newer-format' ? 'upgrade bkp on this machine' : null,
      address: `${manifest.backup}@${name}`,
    })),
    ...noticeUnsigned(name, inventory),
    ...(inventory.tampered ?? []).map((manifest) => tamperedNotice(name, manifest)),
    ...gone.filter(({ repository }) => repository === name).map(missing),
    ...deadRuns(inventory, names),
    ...foreignSnapshots(name, inventory),
  ]);
  return [...inRepositories, ...noticeReferences(policy, observation)];
}

const tamperedNotice = (repository: string, { backup, id, how }: TamperedManifest): PlanNotice => ({
  code: 'drift',
  message:
    how === 'removed'
      ? `the manifest of ${backup}@${id} was removed from ${repository} without bkp; its versions are still there`
      : `the manifest of ${backup}@${id} in ${repository} was written again; its first version counts`,
  hint:
    how === 'removed'
      ? `\`bkp list --deleted\` shows it, \`bkp restore ${backup}@${id}\` reads its versions; nothing of it is cleaned`
      : 'who can write there? restore and verify read the first version',
  address: addressOf(backup, repository),
});

const missing = ({ repository, address, id }: MissingSnapshot): PlanNotice => ({
  code: 'drift',
  message: `snapshot ${id} was stored in ${repository} and is gone; nobody released it`,
  hint: 'a copy of its manifest brings it back where its files are still there; they are left alone',
  address,
});

function deadRuns(inventory: RepositoryInventory, names: ReadonlySet<string>): readonly PlanNotice[] {
  const alive = new Set(inventory.leases.map((lease) => lease.owner.run));
  const own = inventory.runs.filter((run) => names.has(run.policy));
  const isPaid = (run: RunRecord): boolean =>
    own.some((later) => later.backup === run.backup && later.id > run.id && ranItsHooks(later));
  return own
    .filter((run) => run.finishedAt === null && run.owedHooks.length > 0 && !alive.has(run.id) && !isPaid(run))
    .flatMap((run) =>
      run.owedHooks.map((argv) => ({
        code: 'hook-owed',
        message: `the run of ${run.startedAt} on ${run.host} died before its after hook: ${commandLine(argv)}`,
        hint: 'run it by hand; the next capture of this backup runs it too and clears this notice',
        address: run.backup,
      })),
    );
}

/** A capture that came to its end: its `after` hooks ran, whatever became of the data. */
const ranItsHooks = ({ finishedAt, definitionSha256, owedHooks }: RunRecord): boolean =>
  finishedAt !== null && definitionSha256 !== null && owedHooks.length === 0;

function foreignSnapshots(repository: string, inventory: RepositoryInventory): readonly PlanNotice[] {
  const total = inventory.foreign.reduce((sum, other) => sum + other.count, 0);
  if (total === 0) return [];
  const policies = [...new Set(inventory.foreign.map((other) => other.policy))].toSorted();
  return [
    {
      code: 'foreign',
      message: `${count(total, 'snapshot')} of other policies in ${repository} (${policies.join(', ')}) left alone`,
      hint: null,
      address: repository,
    },
  ];
}
