import type { SigningKey } from '../signing/ed25519-key.ts';
import { fieldsOf } from './document.ts';
import { beginKey, type SnapshotName } from './keys.ts';
import type { ManifestArtifact, Signature } from './manifest.ts';
import { documentSigner, signDocument, type SignedPlace } from './signature.ts';
import type { TrustedKeys } from './trust.ts';

/**
 * An artifact that a try to store a snapshot as bytes of its own (encrypted anew) stored and checked. Whoever goes on with
 * that snapshot cannot know otherwise what it must be; it says nothing of the content that a manifest would not say.
 */
export interface Arrival extends Pick<ManifestArtifact, 'key' | 'storedBytes' | 'storedSha256'> {
  /** The key that it would have in a first try. */
  readonly as: string;
  /** Public keys that it is encrypted to; none where everybody can read it. */
  readonly recipients: readonly string[];
  readonly signature?: Signature;
}

/** Signs what is noted in the begin.json of a snapshot: with it a manifest will vouch for those bytes. */
export const signArrival = (arrival: Arrival, name: SnapshotName, repositoryId: string, key: SigningKey): Arrival =>
  signDocument(arrival, placeOf(name, repositoryId), key);

/** Those that count: all of them where the policy asks for no signatures. */
export const trustedArrivals = (
  arrivals: readonly Arrival[],
  name: SnapshotName,
  repositoryId: string,
  trusted: TrustedKeys,
): readonly Arrival[] =>
  arrivals.filter((arrival) => {
    if (trusted === null) return true;
    const signer = documentSigner({ ...arrival }, placeOf(name, repositoryId));
    return typeof signer === 'string' && trusted.includes(signer);
  });

/** Reads one; throws when it is none. */
export function arrivalOf(value: unknown, name: string): Arrival {
  const fields = fieldsOf(value, name);
  const { signature } = fields.all;
  return {
    as: fields.text('as'),
    key: fields.text('key'),
    recipients: fields.texts('recipients'),
    storedBytes: fields.whole('storedBytes'),
    storedSha256: fields.text('storedSha256'),
    // Looked at only where signatures count, and then closely.
    ...(signature === undefined ? {} : { signature: signature as Signature }),
  };
}

const placeOf = ({ backup, id }: SnapshotName, repositoryId: string): SignedPlace => ({
  repositoryId,
  key: beginKey(backup, id),
});
