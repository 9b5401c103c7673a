import { engineOf } from '../engines/registry.ts';
import type { Reference } from '../engines/references.ts';
import { BkpError, reasonOf, targetError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import { resolveTarget } from '../policy/references.ts';
import type { ResolvedTarget } from '../policy/resolved-policy.ts';
import { openCatalog } from '../snapshots/catalog.ts';
import { repositoryIdentity } from '../snapshots/identity.ts';
import type { Repository } from '../repositories/repository.ts';
import type { SnapshotReference } from '../snapshots/inventory.ts';
import { beginKey, manifestKey, type SnapshotName } from '../snapshots/keys.ts';
import { isCleaned, readMarks } from '../snapshots/marks.ts';
import { hasVersions } from '../snapshots/remove-remains.ts';
import { ownNames } from './backup-view.ts';
import { trustedIn } from '../snapshots/trust.ts';
import { openOne } from './open-session.ts';
import type { Session } from './session.ts';

type Targets = Readonly<Record<string, ResolvedTarget>>;

/**
 * Removes what a snapshot left with servers, once no repository of the policy names it any more; what one of them may
 * still name stays, for a later run to find. Never throws for what could not be removed: gives one sentence for each.
 */
export async function releaseReferences(
  session: Session,
  name: SnapshotName,
  references: readonly SnapshotReference[],
  targets: Targets = session.policy.targets,
): Promise<readonly string[]> {
  if (references.length === 0) return [];
  const named = await whoNames(session, name);
  if (named === 'a manifest') return [];
  const what = references.map((reference) => reference.name).join(', ');
  if (named !== null) return [`${what} stays on the server: ${named}; the next apply that can tell removes it`];
  const problems: string[] = [];
  for (const reference of references) {
    try {
      await releaseNow(session, reference, targets);
    } catch (error) {
      if (!(error instanceof BkpError)) throw error;
      problems.push(`${reference.name} stays on the server: ${reasonOf(error)}`);
    }
  }
  return problems;
}

async function releaseNow(
  session: Session,
  { target: name, ...reference }: SnapshotReference,
  targets: Targets,
): Promise<void> {
  const target = Object.values(targets).find((one) => ownNames(one).includes(name));
  if (target === undefined) throw targetError(`target ${name} is not in the policy any more`);
  const { config, secrets } = resolveTarget(target, session.lookups);
  session.lookups.onSecrets(secrets);
  await releaseOne(session, config, reference);
}

/** Removes one at once: nobody names it, and nobody will. Not stopped by a signal. */
export async function releaseOne(
  { context }: Pick<Session, 'context'>,
  config: Target,
  reference: Reference,
): Promise<void> {
  await engineOf(config.type).references?.release(config, reference, context);
}

/**
 * Who may still name what a snapshot left with a server: a manifest, somebody who is storing it, or a repository that
 * cannot be read, which says nothing. Null where nobody does.
 */
async function whoNames(session: Session, name: SnapshotName): Promise<string | null> {
  for (const resolved of session.policy.repositories) {
    const { name: at } = resolved;
    // A command may look at one repository only.
    const opened = session.repositories.find((one) => one.name === at) ?? openOne(resolved, session);
    const { repository } = opened;
    const unknown = `${at} cannot be read, and may name it`;
    if (repository === null) return unknown;
    try {
      const identity = await repositoryIdentity(repository);
      const known = session.scope?.identities[at] ?? openCatalog(session.cacheDir).rememberedId(repository.location);
      if (identity === undefined || (known !== undefined && known !== identity.id)) return unknown;
      if ((await repository.stat(manifestKey(name.backup, name.id))) !== undefined) return 'a manifest';
      // Versions of what was let go are left where nobody may remove them, and name nothing any more.
      if ((await hasVersions(repository, name)) && !(await isReleased(session, repository, name)))
        return `${at} keeps versions of its manifest`;
      if ((await repository.stat(beginKey(name.backup, name.id))) !== undefined)
        return `what was begun in ${at} is not cleaned yet`;
    } catch (error) {
      if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
      return unknown;
    }
  }
  return null;
}

const isReleased = async ({ context }: Session, repository: Repository, name: SnapshotName): Promise<boolean> =>
  (await readMarks(repository, name, trustedIn(context))).some((mark) => mark.kind === 'released' && !isCleaned(mark));
