import { isSignedBy, type SigningKey } from '../signing/ed25519-key.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Manifest, Signature } from './manifest.ts';

/**
 * Who signed a document: a public key whose signature was found right; null where the signature is wrong; undefined where
 * there is none. Whether that key counts is for the policy to say.
 */
export type Signer = string | null | undefined;

/** What a mark's or a run record's signature is about besides its content: it counts at this place only. */
export interface SignedPlace {
  readonly repositoryId: string;
  readonly key: string;
}

/** The manifest with a signature over all the rest of it: its policy, backup and id are in it, so it cannot be moved. */
export const signManifest = (manifest: Manifest, key: SigningKey): Manifest => ({
  ...unsigned(manifest),
  signature: made(key, manifestText(manifest)),
});

/** Who signed a manifest that was found under its own name. */
export const manifestSigner = (manifest: Manifest): Signer => signerOf(manifest.signature, manifestText(manifest));

/** A manifest without its signature. */
export function unsigned(manifest: Manifest): Manifest {
  const { signature: _signature, ...rest } = manifest;
  return rest;
}

/** A mark or a run record with a signature that binds it to its key and its repository. */
export const signDocument = <T extends object>(
  document: T,
  place: SignedPlace,
  key: SigningKey,
): T & { readonly signature: Signature } => ({ ...document, signature: made(key, documentText(document, place)) });

/** Who signed a mark or a run record as it was found at a place. */
export function documentSigner(document: Readonly<Record<string, unknown>>, place: SignedPlace): Signer {
  if (!Object.hasOwn(document, 'signature')) return undefined;
  const { signature, ...rest } = document;
  return isSignature(signature) ? signerOf(signature, documentText(rest, place)) : null;
}

/** The first line says what is signed: no signature of one kind of document passes for another's. */
const manifestText = (manifest: Manifest): string => `bkp manifest 1\n${canonicalJson(unsigned(manifest))}`;

const documentText = (document: object, { repositoryId, key }: SignedPlace): string =>
  `bkp document 1\n${canonicalJson({ repository: repositoryId, key, document })}`;

const made = (key: SigningKey, text: string): Signature => ({ publicKey: key.publicKey, value: key.sign(text) });

function signerOf(signature: Signature | undefined, text: string): Signer {
  if (signature === undefined) return undefined;
  return isSignedBy(signature.publicKey, text, signature.value) ? signature.publicKey : null;
}

function isSignature(value: unknown): value is Signature {
  if (typeof value !== 'object' || value === null) return false;
  const { publicKey, value: text } = value as Partial<Record<keyof Signature, unknown>>;
  return typeof publicKey === 'string' && typeof text === 'string';
}
