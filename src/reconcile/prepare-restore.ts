import type { DestinationState, Engine, RestoreMode } from '../engines/engine.ts';
import { engineOf } from '../engines/registry.ts';
import { guardError, targetError, usageError, type BkpError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import { applyInto } from '../policy/overrides.ts';
import { resolveTarget } from '../policy/references.ts';
import type { ResolvedTarget } from '../policy/resolved-policy.ts';
import type { Manifest, ManifestTarget } from '../snapshots/manifest.ts';
import { placeOf } from './destination-place.ts';
import type { FoundSnapshot, SnapshotPlace } from './find-snapshot.ts';
import { isAtStake, obstacleOf } from './obstacle.ts';
import { openManifest } from './open-manifest.ts';
import { requireManifest, requireSigned } from './require-manifest.ts';
import { stoppable, type Session } from './session.ts';

/** What a restore was asked to do. */
export interface RestoreOrder {
  /** Empty means every target of the snapshot. */
  readonly targets: readonly string[];
  /** By target name: keys laid over its definition. */
  readonly into: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly mode: (target: string) => RestoreMode;
  /** Chosen paths inside the artifact. */
  readonly paths: readonly string[];
  /** Who restores owns everything. */
  readonly noOwner: boolean;
  /** Also from a manifest without the signature that the policy asks for. */
  readonly acceptUnsigned?: boolean;
}

/** A restore that knows its source, its destinations, and what stands there. */
export interface PreparedRestore {
  readonly found: FoundSnapshot;
  readonly place: SnapshotPlace;
  readonly manifest: Manifest;
  readonly targets: readonly PreparedTarget[];
}

export interface PreparedTarget {
  readonly name: string;
  readonly engine: Engine;
  readonly stored: ManifestTarget;
  readonly resolved: ResolvedTarget;
  /** The destination, references resolved. */
  readonly destination: Target;
  /** The same for people, references as written. */
  readonly place: string;
  readonly into: Readonly<Record<string, unknown>>;
  readonly mode: RestoreMode;
  readonly paths: readonly string[];
  readonly noOwner: boolean;
  readonly state: DestinationState;
}

/** Reads the manifest and looks at every destination. Changes nothing. */
export async function prepareRestore(
  session: Session,
  found: FoundSnapshot,
  order: RestoreOrder,
): Promise<PreparedRestore> {
  if (found.places.length === 0)
    throw targetError(`cannot restore ${found.backup.name}@${found.id}: no repository has it`);
  const { place, manifest } = await openManifest(session, found, ({ repository, record }) =>
    order.acceptUnsigned === true
      ? requireManifest(repository, record)
      : requireSigned(repository, record, session.context),
  );
  const names = order.targets.length > 0 ? order.targets : Object.keys(manifest.targets);
  const targets: PreparedTarget[] = [];
  for (const name of names) targets.push(await prepareTarget(session, found, manifest, name, order));
  return { found, place, manifest, targets };
}

async function prepareTarget(
  session: Session,
  found: FoundSnapshot,
  manifest: Manifest,
  name: string,
  order: RestoreOrder,
): Promise<PreparedTarget> {
  const reference = `${found.backup.name}@${manifest.id}`;
  const resolved = found.backup.targets.find((target) => target.name === name || target.formerly.includes(name));
  const storedName = [name, ...(resolved?.formerly ?? []), resolved?.name ?? name].find(
    (one) => one in manifest.targets,
  );
  const stored = storedName === undefined ? undefined : manifest.targets[storedName];
  if (stored === undefined)
    throw usageError(
      `cannot restore ${name} from ${reference}: the snapshot has ${Object.keys(manifest.targets).join(', ')}`,
    );
  if (stored.status === 'failed') {
    throw targetError(
      `cannot restore ${name} from ${reference}: it was not captured (${stored.error ?? 'unknown reason'})`,
      { hint: 'name the targets that were captured with --target' },
    );
  }
  if (resolved === undefined)
    throw usageError(`cannot restore ${name}: the policy has no such target`, {
      hint: 'give the repository with --repository and the destination with --into',
    });
  const into = order.into[name] ?? {};
  const mode = order.mode(name);
  const engine = engineOf(resolved.config.type);
  if (engine.type !== stored.type)
    throw usageError(`cannot restore ${name}: it is ${stored.type} in the snapshot and ${engine.type} in the policy`);
  if (!engine.capabilities.modes.includes(mode))
    throw usageError(
      `cannot restore ${name} with mode ${mode}: ${engine.type} knows ${engine.capabilities.modes.join(', ')}`,
    );
  if (order.paths.length > 0 && !engine.capabilities.paths)
    throw usageError(`cannot restore single paths of ${name}: ${engine.type} has none`);
  if (order.noOwner && !engine.capabilities.noOwner)
    throw usageError(`cannot restore ${name} without owners: ${engine.type} has no --no-owner`, {
      hint: 'name the targets that know it with --target',
    });
  const written = applyInto(resolved.config, into);
  const config = prepareDestination(session, resolved, into);
  const { paths } = order;
  const coming = { mode, paths, artifacts: stored.artifacts };
  const state = await engine.inspectDestination(config, stoppable(session), coming);
  return {
    name,
    engine,
    stored,
    resolved,
    destination: config,
    place: placeOf(written),
    into,
    mode,
    paths,
    noOwner: order.noOwner,
    state,
  };
}

/** Why a restore may not begin, or null: what stands at the destination decides. */
export function obstacleAt(target: PreparedTarget): BkpError | null {
  const others = target.engine.capabilities.modes.filter((mode) => mode !== 'new').map((mode) => `--mode ${mode}`);
  const isShared = target.paths.length > 0 && target.engine.capabilities.pathsWithin;
  const obstacle = obstacleOf(
    { ...target, isShared },
    { mode: others.join(' or '), place: 'another destination with --into' },
  );
  return obstacle === null ? null : guardError(obstacle.message, { hint: obstacle.hint ?? undefined });
}

/** Where a restore writes: the target with `into` laid over it, references resolved. */
export function prepareDestination(
  session: Session,
  resolved: ResolvedTarget,
  into: Readonly<Record<string, unknown>>,
): Target {
  const written = { ...resolved, config: applyInto(resolved.config, into) };
  const { config, secrets } = resolveTarget(written, session.lookups);
  session.lookups.onSecrets(secrets);
  return config;
}

/** True when the restore changes something that is there in a way that only a safety snapshot could undo. */
export const needsSafety = ({ engine, mode, state, paths }: PreparedTarget): boolean =>
  isChangedInPlace(engine, mode, state, paths);

/** The same for a destination that is only looked at. */
export function isChangedInPlace(
  { capabilities }: Engine,
  mode: RestoreMode,
  state: DestinationState,
  paths: readonly string[] = [],
): boolean {
  if (!isAtStake(state, mode)) return false;
  if (mode === 'merge') return capabilities.safetyBeforeMerge;
  return mode === 'replace' && (state.replacedInPlace === true || (paths.length > 0 && capabilities.pathsWithin));
}
