import { BkpError } from '../errors.ts';
import { resolveRepository } from '../policy/references.ts';
import type { ResolvedPolicy, ResolvedRepository } from '../policy/resolved-policy.ts';
import { openRepository } from '../repositories/registry.ts';
import type { Edge, Session, SessionRepository } from './session.ts';

/** Opens every repository of a policy. Nothing is read or written yet; one that cannot be opened is kept with its problem. */
export function openSession(policy: ResolvedPolicy, edge: Edge): Session {
  return { ...edge, policy, repositories: policy.repositories.map((resolved) => openOne(resolved, edge)) };
}

function openOne(resolved: ResolvedRepository, edge: Edge): SessionRepository {
  try {
    const { config, secrets } = resolveRepository(resolved, edge.lookups);
    edge.lookups.onSecrets(secrets);
    return { name: resolved.name, repository: openRepository(config, edge.context) };
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return { name: resolved.name, repository: null, problem: error.message, hint: error.hint ?? null };
  }
}
