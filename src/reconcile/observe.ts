import { engineOf } from '../engines/registry.ts';
import type { RestoreMode } from '../engines/engine.ts';
import { BkpError } from '../errors.ts';
import type { ResolvedBackup, ResolvedTarget } from '../policy/resolved-policy.ts';
import { indexFolders, ownNames, viewBackup, type FolderIndex } from './backup-view.ts';
import { acceptedDigests, type Definitions } from './definition.ts';
import { observeReferences } from './observe-references.ts';
import { observeEncryption } from './observe-encryption.ts';
import { observeRepositories } from './observe-repositories.ts';
import type { Observation, ObservedDestination, ObservedRepository, ObservedSetAside } from './observation.ts';
import { newestBy } from './plan-create.ts';
import { pendingRestores } from './plan-restores.ts';
import { foundAside } from './found-aside.ts';
import { isChangedInPlace, prepareDestination } from './prepare-restore.ts';
import { readManifest } from '../snapshots/read-snapshot.ts';
import { stoppable, type Session } from './session.ts';

/** Looks at everything a plan rests on, changing nothing. What cannot be read is told, never taken for empty. */
export async function observe(session: Session): Promise<Observation> {
  const references = await observeReferences(session);
  const bare = await observeRepositories(session);
  const folders = indexFolders(bare);
  const encryption = await observeEncryption(session);
  return {
    ...bare,
    ...encryption,
    references,
    notices: [...bare.notices, ...encryption.notices],
    lastDefinitions: await readLastDefinitions(session, folders),
    setAside: await findSetAside(session, bare.repositories),
    destinations: await inspectDestinations(session, folders),
  };
}

/** The definition behind the newest good snapshot, for backups whose definition is another now. */
async function readLastDefinitions(
  session: Session,
  folders: ReadonlyMap<string, FolderIndex>,
): Promise<Observation['lastDefinitions']> {
  const found: Record<string, Definitions> = {};
  for (const backup of session.policy.backups) {
    const accepted = acceptedDigests(backup);
    if (holdsOnly(accepted, backup, folders)) continue;
    const own = viewBackup(session.policy, backup, folders).good.filter(({ record }) => record.kind === 'backup');
    const newest = newestBy(own, session.context.clock.now());
    if (newest === undefined || accepted.includes(newest.record.definitionSha256)) continue;
    const holder = session.repositories.find(({ name }) => name === newest.holders[0])?.repository;
    if (holder === undefined || holder === null) continue;
    const manifest = await readManifest(holder, newest.record);
    // One that vanished meanwhile leaves the change without its details.
    if (manifest?.ok !== true) continue;
    found[backup.name] = Object.fromEntries(
      Object.entries(manifest.value.targets).map(([name, target]) => [name, target.definition]),
    );
  }
  return found;
}

/** The common case, told without sorting anything: nothing of the backup was captured by another definition. */
function holdsOnly(
  digests: readonly string[],
  backup: ResolvedBackup,
  folders: ReadonlyMap<string, FolderIndex>,
): boolean {
  const known = new Set(digests);
  const names = ownNames(backup);
  return backup.repositories.every((repository) =>
    names.every((name) =>
      (folders.get(repository)?.snapshots.get(name) ?? []).every((record) => known.has(record.definitionSha256)),
    ),
  );
}

async function findSetAside(
  session: Session,
  repositories: readonly ObservedRepository[],
): Promise<readonly ObservedSetAside[]> {
  const names = ownNames(session.policy);
  const found: ObservedSetAside[] = [];
  for (const observed of repositories) {
    if (observed.state !== 'ready') continue;
    for (const run of observed.inventory.runs.filter((one) => names.includes(one.policy))) {
      for (const record of run.setAside) {
        const engine = engineOf(record.type);
        if (engine.capabilities.local && record.host !== session.context.host.name) continue;
        const exists = await engine.setAsideExists(foundAside(session, record), stoppable(session));
        if (exists) found.push({ repository: observed.name, backup: run.backup, record });
      }
    }
  }
  return found;
}

/** What stands at the destinations of restores that are not done yet. */
async function inspectDestinations(
  session: Session,
  folders: ReadonlyMap<string, FolderIndex>,
): Promise<Observation['destinations']> {
  const found: Record<string, Record<string, ObservedDestination>> = {};
  for (const restore of pendingRestores(session.policy, folders)) {
    const states: Record<string, ObservedDestination> = {};
    for (const [name, { into, mode }] of Object.entries(restore.targets)) {
      const target = session.policy.targets[name];
      if (target !== undefined) states[name] = await inspectDestination(session, target, into, mode);
    }
    found[restore.name] = states;
  }
  return found;
}

/** A destination that cannot be looked at counts as occupied; the restore says what is wrong when it is its turn. */
async function inspectDestination(
  session: Session,
  target: ResolvedTarget,
  into: Readonly<Record<string, unknown>>,
  mode: RestoreMode,
): Promise<ObservedDestination> {
  try {
    const config = prepareDestination(session, target, into);
    const engine = engineOf(config.type);
    const coming = { mode, paths: [], artifacts: [] };
    const state = await engine.inspectDestination(config, stoppable(session), coming);
    return { ...state, needsSafety: isChangedInPlace(engine, mode, state) };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    const problem = { message: error.message, hint: error.hint };
    return { state: 'occupied', description: 'not to be looked at', problems: [problem], needsSafety: false };
  }
}
