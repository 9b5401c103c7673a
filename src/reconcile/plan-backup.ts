import type { BackupRepository, BackupView } from './backup-view.ts';
import { addressOf, joinDrafts, type Draft, type Drafts } from './draft.ts';
import type { Observation, PlanOptions } from './observation.ts';
import { planCreate } from './plan-create.ts';
import { planPrunes } from './plan-prune.ts';
import {
  noticeFormerRecipients,
  noticeUnencryptable,
  planReadableCopies,
  planReadableVerifications,
  readersOf,
} from './plan-encryption.ts';
import { planNewCopies, planReplicas } from './plan-replicas.ts';
import { withheldUnsigned } from './plan-unsigned.ts';
import { NEXT, planRetention } from './plan-retention.ts';
import { planFirstVerifications, planVerifications } from './plan-verify.ts';
import { reason } from './reasons.ts';
import type { Action, PlanNotice, WithheldStep } from './step.ts';

/** Everything one backup needs, in the order it happens: capture, copies, repairs, verification, prunes. */
export function planBackup(
  view: BackupView,
  observation: Observation,
  now: Date,
  options: PlanOptions,
): Drafts & { readonly create: Draft | undefined } {
  const { backup } = view;
  const usable = withoutForeign(view);
  const wants = (action: Action): boolean => options.only === undefined || options.only.includes(action);
  const capture = planCreate({
    view: usable.view,
    now,
    requested: options.requested?.includes(backup.name) ?? false,
    lastDefinitions: observation.lastDefinitions[backup.name],
  });
  const identity = withheldByIdentity(view);
  const unsigned = withheldUnsigned(usable.view);
  if (!backup.enabled && (capture.steps ?? []).length === 0)
    return { ...joinDrafts([capture, { withheld: unsigned }]), create: undefined };

  const create = wants('create') ? capture.steps?.[0] : undefined;
  const kept = planRetention(usable.view, create !== undefined, now);
  const keptIds = keptByRules(usable.view, kept.rules);
  const ready = usable.view.repositories.filter((repository) => repository.state === 'ready');

  const readers = readersOf(observation, backup.name);
  const wantedCopies = [
    ...(create !== undefined && kept.rules.has(NEXT) ? planNewCopies(usable.view, create) : []),
    ...ready.flatMap((repository) => planReplicas(usable.view, repository, keptIds)),
  ];
  const { steps: copies, withheld: sealedCopies } = planReadableCopies(usable.view, wantedCopies, readers);
  const stored = [...(create === undefined ? [] : [create]), ...copies.filter((step) => wants(step.action))];
  const { steps: verifications, withheld: sealedVerifications } = planReadableVerifications(
    usable.view,
    readers,
    (view_) => [
      ...ready.flatMap((repository) => planVerifications(view_, repository, keptIds, now)),
      ...planFirstVerifications(view_, stored, now),
    ],
  );
  const doneVerifications = verifications.filter(() => wants('verify'));
  const prunes = ready.map((repository) =>
    planPrunes({
      view: usable.view,
      repository,
      kept,
      stored,
      verifications: doneVerifications,
      now,
      maxPrune: options.maxPrune,
    }),
  );
  const filtered = joinDrafts([
    { steps: capture.steps ?? [] },
    { steps: copies },
    { steps: verifications },
    ...prunes.map(({ steps }) => ({ steps: steps ?? [] })),
  ]);
  const isFiltered = (step: Draft): boolean =>
    !wants(step.action) || (step.action === 'prune' && options.noPrune === true);
  const joined = joinDrafts([
    { ...capture, steps: [] },
    ...prunes.map((part) => ({ ...part, steps: [] })),
    { withheld: [...identity, ...unsigned, ...sealedCopies, ...sealedVerifications], errors: usable.errors },
    { warnings: [...noticeFormerRecipients(usable.view, readers), ...noticeUnencryptable(sealedCopies)] },
  ]);
  return {
    ...joined,
    steps: filtered.steps.filter((step) => !isFiltered(step)),
    withheld: [...joined.withheld, ...filtered.steps.filter(isFiltered).map(filteredStep)],
    create,
  };
}

function keptByRules(view: BackupView, rules: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  return new Set(view.good.map(({ record }) => record.id).filter((id) => rules.has(id)));
}

const filteredStep = (step: Draft): WithheldStep => ({
  action: step.action,
  address: addressOf(step.backup, step.repository),
  snapshot: step.snapshot,
  reason: reason('filtered', `left out by a filter: ${step.reason.message}`, { code: step.reason.code }),
  source: step.source,
});

/** A repository where another policy uses the backup's folder gets no steps, and an error that says so. */
function withoutForeign(view: BackupView): { readonly view: BackupView; readonly errors: readonly PlanNotice[] } {
  const foreign = view.repositories.filter((repository) => repository.foreignPolicies.length > 0);
  if (foreign.length === 0) return { view, errors: [] };
  const repositories = view.repositories.map((repository): BackupRepository =>
    foreign.includes(repository)
      ? { ...repository, state: 'unavailable', snapshots: new Map(), unsigned: new Map(), remains: [] }
      : repository,
  );
  const names = new Set(foreign.map(({ name }) => name));
  const good = view.good
    .map((snapshot) => ({ ...snapshot, holders: snapshot.holders.filter((holder) => !names.has(holder)) }))
    .filter(({ holders }) => holders.length > 0);
  const errors = foreign.map((repository) => ({
    code: 'foreign-policy',
    message: `cannot use ${addressOf(view.backup.name, repository.name)}: its folder belongs to policy ${repository.foreignPolicies.join(', ')}`,
    hint: 'rename the backup, or name the other policy under `formerly` if it is this one',
    address: addressOf(view.backup.name, repository.name),
  }));
  return { view: { ...view, repositories, good }, errors };
}

function withheldByIdentity(view: BackupView): readonly WithheldStep[] {
  const hasReceiver = view.repositories.some((repository) => repository.state === 'ready');
  return view.repositories
    .filter((repository) => repository.state === 'unidentified')
    .map((repository) => ({
      action: hasReceiver ? ('copy' as const) : ('create' as const),
      address: addressOf(view.backup.name, repository.name),
      snapshot: null,
      reason: reason('identity-missing', `${repository.name} is missing, or is not the repository it should be`),
      source: view.backup.sources['repositories'] ?? view.backup.source,
    }));
}
