import { engineOf } from '../engines/registry.ts';
import type { DestinationState } from '../engines/engine.ts';
import { applyInto } from '../policy/overrides.ts';
import { resolveTarget } from '../policy/references.ts';
import { indexFolders, ownNames, viewBackup, type FolderIndex } from './backup-view.ts';
import { acceptedDigests, type Definitions } from './definition.ts';
import { observeRepositories } from './observe-repositories.ts';
import type { Observation, ObservedRepository, ObservedSetAside } from './observation.ts';
import { pendingRestores } from './plan-restores.ts';
import { requireManifest } from './require-manifest.ts';
import { stoppable, type Session } from './session.ts';

/** Looks at everything a plan rests on, changing nothing. What cannot be read is told, never taken for empty. */
export async function observe(session: Session): Promise<Observation> {
  const bare = await observeRepositories(session);
  const folders = indexFolders(bare);
  return {
    ...bare,
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
    const newest = viewBackup(session.policy, backup, folders).good.findLast(({ record }) => record.kind === 'backup');
    if (newest === undefined || acceptedDigests(backup).includes(newest.record.definitionSha256)) continue;
    const holder = session.repositories.find(({ name }) => name === newest.holders[0])?.repository;
    if (holder === undefined || holder === null) continue;
    const manifest = await requireManifest(holder, newest.record);
    found[backup.name] = Object.fromEntries(
      Object.entries(manifest.targets).map(([name, target]) => [name, target.definition]),
    );
  }
  return found;
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
      for (const record of run.setAside.filter(({ host }) => host === session.context.host.name)) {
        const exists = await engineOf(record.type).setAsideExists(record, stoppable(session));
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
  const found: Record<string, Record<string, DestinationState>> = {};
  for (const restore of pendingRestores(session.policy, folders)) {
    const states: Record<string, DestinationState> = {};
    for (const [name, { into }] of Object.entries(restore.targets)) {
      const target = session.policy.targets[name];
      if (target === undefined) continue;
      const { config, secrets } = resolveTarget({ ...target, config: applyInto(target.config, into) }, session.lookups);
      session.lookups.onSecrets(secrets);
      states[name] = await engineOf(config.type).inspectDestination(config, stoppable(session));
    }
    found[restore.name] = states;
  }
  return found;
}
