import type { ResolvedPolicy } from '../policy/resolved-policy.ts';
import { indexFolders, viewBackup } from './backup-view.ts';
import { addressOf, joinDrafts, stepKey, type Draft, type Drafts } from './draft.ts';
import { inventoryDigest, touchedFolders } from './inventory-digest.ts';
import type { Observation, PlanOptions } from './observation.ts';
import { planBackup } from './plan-backup.ts';
import { copyOf, planCleans } from './plan-clean.ts';
import { readersOf } from './plan-encryption.ts';
import { noticeDrift } from './plan-drift.ts';
import { planRemoved } from './plan-removed.ts';
import { planRestore } from './plan-restores.ts';
import { ACTIONS, type Plan, type PlanFilters, type PlanNotice, type PlanSummary, type Step } from './step.ts';

export interface PlanInput {
  readonly policy: ResolvedPolicy;
  readonly observation: Observation;
  readonly now: Date;
  readonly options: PlanOptions;
  readonly bkpVersion: string;
}

/**
 * The differences between what the policy wants at a moment and what the repositories hold, each with its reason. Pure:
 * the same input gives the same bytes, times only in the header. Executing the steps in order makes a second plan empty.
 */
export function plan(input: PlanInput): Plan {
  const { policy, observation, now, options } = input;
  const folders = indexFolders(observation, options.initRepositories);
  const wanted = policy.backups.filter(
    (backup) => options.backups === undefined || options.backups.includes(backup.name),
  );
  const backups = wanted.map((backup) => {
    const view = viewBackup(policy, backup, folders);
    return { view, drafts: planBackup(view, observation, now, options) };
  });
  const restores = policy.restores.flatMap((restore) => {
    const of = backups.find(({ view }) => view.backup.name === restore.backup);
    if (of === undefined) return [];
    return [
      planRestore({
        restore,
        view: of.view,
        folders,
        readers: readersOf(observation, restore.backup),
        found: observation.destinations[restore.name],
        create: of.drafts.create,
      }),
    ];
  });
  const leftovers = [
    ofBackups(
      planRemoved(policy, folders, { pruneRemoved: options.pruneRemoved ?? false, maxPrune: options.maxPrune, now }),
      options.backups,
    ),
  ];
  const cleans = ofBackups(planCleans(policy, observation, now, wantedCopies(backups)), options.backups);
  const others = onlyWanted(joinDrafts([...restores, ...leftovers, cleans]), options);
  const all = joinDrafts([
    ...backups.map(({ drafts }) => drafts),
    others,
    notices(policy, observation, options.initRepositories ?? false),
  ]);
  return finishPlan(input, all);
}

/** Snapshots that are to be copied, also where a filter leaves the copy out. */
const wantedCopies = (backups: readonly { readonly drafts: Drafts }[]): ReadonlySet<string> =>
  new Set(
    backups.flatMap(({ drafts }) => [
      ...drafts.steps.flatMap(({ action, repository, snapshot }) =>
        action === 'copy' && snapshot !== null ? copyOf(repository, snapshot) : [],
      ),
      ...drafts.withheld.flatMap(({ action, address, snapshot }) =>
        action === 'copy' && snapshot !== null ? copyOf(address.slice(address.indexOf('@') + 1), snapshot) : [],
      ),
    ]),
  );

/** Numbers, orders and totals drafts: the last act of every way to make a plan. */
export function finishPlan({ policy, observation, now, options, bkpVersion }: PlanInput, drafts: Drafts): Plan {
  const steps = numbered(drafts.steps);
  const touched = touchedFolders(policy, steps);
  return {
    formatVersion: 1,
    bkpVersion,
    generatedAt: now.toISOString(),
    at: options.isAt === true ? now.toISOString() : null,
    filters: filtersOf(options),
    policy: { name: policy.name, path: policy.path, sha256: policy.sha256 },
    repositories: observation.repositories.map((repository) => ({
      name: repository.name,
      id: repository.state === 'ready' ? repository.inventory.repositoryId : null,
      readable: repository.state === 'ready',
      inventorySha256: repository.state === 'ready' ? inventoryDigest(repository.inventory, touched) : null,
    })),
    steps,
    keep: drafts.keep,
    withheld: drafts.withheld,
    summary: summarize(steps, drafts),
    warnings: drafts.warnings,
    errors: drafts.errors,
  };
}

function numbered(drafts: readonly Draft[]): readonly Step[] {
  const phase = (step: Draft): number => (step.destructive ? 100 : 0) + ACTIONS.indexOf(step.action);
  const ordered = drafts
    .map((step, index) => ({ step, index }))
    .toSorted((a, b) => phase(a.step) - phase(b.step) || a.index - b.index);
  const ids = new Map(ordered.map(({ step }, index) => [stepKey(step), `s${index + 1}`]));
  return ordered.map(({ step }, index) => {
    const { action, backup, repository, snapshotFrom, dependsOn, ...rest } = step;
    return {
      id: `s${index + 1}`,
      action,
      address: addressOf(backup, repository),
      backup,
      kind: rest.kind,
      targets: rest.targets,
      repository,
      from: rest.from,
      snapshot: rest.snapshot,
      snapshotFrom: snapshotFrom === null ? null : (ids.get(snapshotFrom) ?? null),
      artifacts: rest.artifacts,
      destination: rest.destination,
      mode: rest.mode,
      hooks: rest.hooks,
      estimate: rest.estimate,
      reason: rest.reason,
      source: rest.source,
      destructive: rest.destructive,
      dependsOn: dependsOn.flatMap((key) => ids.get(key) ?? []),
    };
  });
}

function summarize(steps: readonly Step[], drafts: Drafts): PlanSummary {
  const total = (action: string): number => steps.filter((step) => step.action === action).length;
  return {
    create: total('create'),
    copy: total('copy'),
    replace: total('replace'),
    verify: total('verify'),
    drill: 0,
    restore: total('restore'),
    prune: total('prune'),
    clean: total('clean'),
    keep: drafts.keep.length,
    withheld: drafts.withheld.length,
    destructive: steps.filter((step) => step.destructive).length,
  };
}

function filtersOf(options: PlanOptions): PlanFilters {
  return {
    ...(options.backups === undefined ? {} : { backups: options.backups }),
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.noPrune === true ? { prune: false as const } : {}),
    ...(options.pruneRemoved === true ? { pruneRemoved: true as const } : {}),
    ...(options.maxPrune === undefined ? {} : { maxPrune: options.maxPrune }),
    ...(options.initRepositories === true ? { initRepositories: true as const } : {}),
  };
}

function ofBackups(drafts: Partial<Drafts>, backups: readonly string[] | undefined): Partial<Drafts> {
  if (backups === undefined) return drafts;
  const isWanted = ({ address }: { readonly address: string | null }): boolean =>
    address === null || backups.includes(address.slice(0, address.indexOf('@')));
  return {
    ...drafts,
    steps: (drafts.steps ?? []).filter((step) => backups.includes(step.backup)),
    withheld: (drafts.withheld ?? []).filter(isWanted),
    warnings: (drafts.warnings ?? []).filter(isWanted),
  };
}

function onlyWanted(drafts: Drafts, { only, noPrune }: PlanOptions): Drafts {
  return {
    ...drafts,
    steps: drafts.steps.filter((step) => {
      // A safety snapshot is part of its restore.
      const action = step.kind === 'safety' && step.action === 'create' ? 'restore' : step.action;
      return (only === undefined || only.includes(action)) && !(noPrune === true && action === 'prune');
    }),
  };
}

function notices(policy: ResolvedPolicy, observation: Observation, init: boolean): Partial<Drafts> {
  const warnings: PlanNotice[] = observation.notices.map((message) => ({
    code: 'notice',
    message,
    hint: null,
    address: null,
  }));
  const errors: PlanNotice[] = [];
  for (const repository of observation.repositories) {
    if (repository.state === 'ready') continue;
    const { message, hint, name } = repository;
    if (repository.state === 'unidentified' && init && repository.canBeMade)
      warnings.push({
        code: 'will-be-made',
        message: `repository ${name} does not exist yet and will be made`,
        hint: null,
        address: name,
      });
    else if (repository.state === 'unidentified')
      warnings.push({ code: 'identity-missing', message, hint, address: name });
    else errors.push({ code: 'repository-unavailable', message, hint, address: name });
  }
  return { warnings: [...warnings, ...noticeDrift(policy, observation)], errors };
}
