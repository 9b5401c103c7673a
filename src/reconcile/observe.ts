import { engineOf } from '../engines/registry.ts';
import { BkpError } from '../errors.ts';
import type { DestinationState } from '../engines/engine.ts';
import { applyInto } from '../policy/overrides.ts';
import { resolveTarget } from '../policy/references.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import { readInventory } from '../snapshots/read-inventory.ts';
import { indexFolders, ownNames, viewBackup, type FolderIndex } from './backup-view.ts';
import { acceptedDigests, type Definitions } from './definition.ts';
import type { Observation, ObservedRepository, ObservedSetAside } from './observation.ts';
import { pendingRestores } from './plan-restores.ts';
import { requireManifest } from './require-manifest.ts';
import { stoppable, type Session, type SessionRepository } from './session.ts';

/** Looks at everything a plan rests on, changing nothing. What cannot be read is told, never taken for empty. */
export async function observe(session: Session): Promise<Observation> {
  const repositories: ObservedRepository[] = [];
  for (const opened of session.repositories) repositories.push(await observeRepository(session, opened));
  const bare: Observation = { repositories, lastDefinitions: {}, setAside: [], destinations: {}, notices: [] };
  const folders = indexFolders(bare);
  return {
    ...bare,
    lastDefinitions: await readLastDefinitions(session, folders),
    setAside: await findSetAside(session, repositories),
    destinations: await inspectDestinations(session, folders),
  };
}

async function observeRepository(session: Session, opened: SessionRepository): Promise<ObservedRepository> {
  const { name } = opened;
  if (opened.repository === null) return { name, state: 'unavailable', message: opened.problem, hint: opened.hint };
  const { repository } = opened;
  try {
    if (!(await repository.exists())) return unidentified(name, `${repository.location} does not exist`, true);
    const catalog = openCatalog(session.cacheDir);
    const identity = await repositoryIdentity(repository);
    const remembered = catalog.rememberedId(repository.location);
    if (identity === undefined)
      return unidentified(name, `${repository.location} is no repository: bkp-repository.json is missing`, true);
    if (remembered !== undefined && remembered !== identity.id) {
      return unidentified(
        name,
        `${repository.location} is another repository than before (${identity.id} instead of ${remembered})`,
        false,
      );
    }
    catalog.rememberId(repository.location, identity.id);
    const inventory = await readInventory(
      repository,
      { identity, policyNames: ownNames(session.policy), catalog },
      stoppable(session),
    );
    return { name, state: 'ready', inventory };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { name, state: 'unavailable', message: error.message, hint: error.hint ?? null };
  }
}

const unidentified = (name: string, message: string, canBeMade: boolean): ObservedRepository => ({
  name,
  state: 'unidentified',
  canBeMade,
  message,
  hint: canBeMade
    ? `is it mounted? a new one is made by \`bkp init --repository ${name}\` or \`bkp apply --init-repositories\``
    : `is another disk mounted? if this one is meant, \`bkp init --repository ${name}\` takes note of it`,
});

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
