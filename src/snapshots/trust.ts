import type { Context } from '../context.ts';
import type { MarkRecord } from './inventory.ts';
import type { MarkKind } from './manifest.ts';
import type { RunRecord } from './run-record.ts';
import type { Signer } from './signature.ts';

/** Public keys whose signatures count; null where the policy asks for none and everything counts. */
export type TrustedKeys = readonly string[] | null;

/** The keys that count in a run. */
export const trustedIn = ({ signing }: Pick<Context, 'signing'>): TrustedKeys => signing?.publicKeys ?? null;

/**
 * They only hold something back (a prune, a second restore): they count whoever wrote them, so that a key which left the
 * policy frees nothing. What releases, frees, vouches or condemns needs a signature.
 */
const HOLDING: readonly MarkKind[] = ['protected', 'restored'];

/** True for a mark that counts. */
export const isTrustedMark = (
  { kind, signedBy }: Pick<MarkRecord, 'kind' | 'signedBy'>,
  trusted: TrustedKeys,
): boolean =>
  trusted === null || HOLDING.includes(kind) || (typeof signedBy === 'string' && trusted.includes(signedBy));

export interface SignedManifest {
  readonly signedBy?: Signer;
  /** SHA-256 of its bytes in hex, or the first 32 digits of it. */
  readonly digest: string;
  /** Those that count. */
  readonly marks: readonly MarkRecord[];
}

/**
 * Why a manifest does not count; undefined when it does: its own signature is right and of a key that counts, or a
 * `signed` mark that counts names its very bytes.
 */
export function unsignedReason({ signedBy, digest, marks }: SignedManifest, trusted: TrustedKeys): string | undefined {
  if (trusted === null || (typeof signedBy === 'string' && trusted.includes(signedBy))) return undefined;
  if (marks.some((mark) => isSignatureOf(mark, digest))) return undefined;
  if (signedBy === undefined) return 'it has no signature';
  return signedBy === null ? 'its signature is wrong' : `it is signed with ${signedBy}, which the policy does not name`;
}

function isSignatureOf({ kind, data }: MarkRecord, digest: string): boolean {
  const named = kind === 'signed' ? data['manifestSha256'] : undefined;
  return typeof named === 'string' && named.length === 64 && named.startsWith(digest);
}

/**
 * A run record as far as it counts. One that somebody else may have written could say which server is asked with the
 * credentials of the policy, what is removed there, and that a capture is not to be tried yet. Of such only that is believed
 * which holds something back: that a restore is under way, and which snapshots were stored.
 */
export function countedRun(run: RunRecord, trusted: TrustedKeys): RunRecord {
  if (trusted === null || (typeof run.signedBy === 'string' && trusted.includes(run.signedBy))) return run;
  const { repositories: _repositories, ...rest } = run;
  const steps = run.steps.filter(({ action }) => action !== 'prune' && action !== 'destroy');
  return { ...rest, definitionSha256: null, owedHooks: [], setAside: [], steps };
}
