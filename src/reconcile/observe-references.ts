import type { ReferenceKeeper } from '../engines/references.ts';
import { BkpError } from '../errors.ts';
import type { ResolvedTarget } from '../policy/resolved-policy.ts';
import { leavesReferences } from '../policy/leaves-references.ts';
import { resolveTarget } from '../policy/references.ts';
import type { ObservedReferences } from './observation.ts';
import { stoppable, type Session } from './session.ts';

/**
 * What captures left with the servers of the policy: each place is asked once. To be asked before the repositories are
 * read, so that what is there has a manifest by then, or a lease. A server that cannot be reached is told, never thrown.
 */
export async function observeReferences(session: Session): Promise<readonly ObservedReferences[]> {
  const used = new Map(
    session.policy.backups
      .flatMap(({ targets }) => targets)
      .filter(({ config }) => leavesReferences(config))
      .map((target) => [target.name, target] as const),
  );
  if (used.size === 0) return [];
  const { engineOf } = await import('../engines/registry.ts');
  const asked = new Map<string, { readonly at: number }>();
  const seen: ObservedReferences[] = [];
  for (const target of used.values()) {
    const keeper = engineOf(target.config.type).references;
    // The references of a policy are looked up only where there is somebody to ask.
    if (keeper === undefined || keeper.place(target.config) === null) continue;
    const found = await observeTarget(session, target, keeper, (place) => {
      const known = asked.get(place);
      if (known === undefined) asked.set(place, { at: seen.length });
      return known === undefined ? undefined : seen[known.at];
    });
    seen.push(found);
  }
  return seen;
}

async function observeTarget(
  session: Session,
  target: ResolvedTarget,
  keeper: ReferenceKeeper<ResolvedTarget['config']>,
  known: (place: string) => ObservedReferences | undefined,
): Promise<ObservedReferences> {
  const { name } = target;
  try {
    const { config, secrets } = resolveTarget(target, session.lookups);
    session.lookups.onSecrets(secrets);
    const same = known(keeper.place(config) ?? '');
    if (same !== undefined) return { ...same, target: name };
    return { target: name, state: 'asked', ...(await keeper.list(config, stoppable(session))) };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { target: name, state: 'silent', message: error.message };
  }
}
