import type { Context } from '../context.ts';
import { BkpError } from '../errors.ts';
import { resolveRepository, resolveSigningKey } from '../policy/references.ts';
import type { ResolvedPolicy, ResolvedRepository } from '../policy/resolved-policy.ts';
import { openRepository } from '../repositories/registry.ts';
import { signingWith, withSigning } from '../signing/signing.ts';
import type { Edge, Session, SessionRepository } from './session.ts';

/** Opens every repository of a policy. Nothing is read or written yet; one that cannot be opened is kept with its problem. */
export function openSession(policy: ResolvedPolicy, edge: Edge): Session {
  const context = signing(edge.context, policy, edge);
  return { ...edge, context, policy, repositories: policy.repositories.map((resolved) => openOne(resolved, edge)) };
}

/** A context that signs, and trusts, as the policy says. The private key is looked up once it is needed. */
function signing(context: Context, { signing: wanted }: ResolvedPolicy, { lookups }: Edge): Context {
  if (wanted === undefined) return context;
  return withSigning(
    context,
    signingWith(wanted.publicKeys, () => resolveSigningKey(wanted, lookups)),
  );
}

/** Opens one repository of a policy. */
export function openOne(resolved: ResolvedRepository, edge: Edge): SessionRepository {
  try {
    const { config, secrets } = resolveRepository(resolved, edge.lookups);
    edge.lookups.onSecrets(secrets);
    return { name: resolved.name, repository: openRepository(config, edge.context) };
  } catch (error) {
    if (!(error instanceof BkpError)) throw error;
    return { name: resolved.name, repository: null, problem: error.message, hint: error.hint ?? null };
  }
}
