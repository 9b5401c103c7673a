import type { Readable } from 'node:stream';
import type { Context, ProcessSpec } from '../context.ts';
import { type BkpError, toolError, usageError } from '../errors.ts';
import { decryptInNode, encryptInNode } from './age-library.ts';
import { isSshKey, shortRecipient } from './recipient.ts';

/** How bytes are encrypted or decrypted here: by the age program in the pipe, or inside Node. */
export type Cipher =
  | { readonly kind: 'program'; readonly process: ProcessSpec }
  | { readonly kind: 'library'; through(bytes: AsyncIterable<Uint8Array>): Promise<Readable> };

const PACKAGE_HINT = 'install the age program: apt-get install age, brew install age';

/** Chooses the fastest way to encrypt. Throws `tool` where nothing here can encrypt to some of the recipients. */
export function chooseEncryption(recipients: readonly string[], context: Pick<Context, 'findTool'>): Cipher {
  if (context.findTool('age') !== undefined)
    return { kind: 'program', process: { argv: ['age', '-e', ...recipients.flatMap((one) => ['-r', one])] } };
  const ssh = recipients.find(isSshKey);
  if (ssh !== undefined) {
    throw toolError(`cannot encrypt to ${shortRecipient(ssh)}: SSH keys need the age program`, { hint: PACKAGE_HINT });
  }
  return { kind: 'library', through: (bytes) => encryptInNode(bytes, recipients) };
}

/** Chooses the fastest way to decrypt with the identities of the run. Throws `usage` without one. */
export function chooseDecryption(subject: string, context: Pick<Context, 'findTool' | 'identities'>): Cipher {
  const { identities } = context;
  if (identities === undefined) throw identityMissing(subject, []);
  if (context.findTool('age') !== undefined)
    return { kind: 'program', process: { argv: ['age', '-d', ...identities.files.flatMap((file) => ['-i', file])] } };
  if (identities.keys.length === 0) {
    throw toolError(`cannot decrypt ${subject}: only the age program reads such an identity`, { hint: PACKAGE_HINT });
  }
  return { kind: 'library', through: (bytes) => decryptInNode(bytes, identities.keys) };
}

/** Nobody gave an identity for something encrypted. */
export const identityMissing = (subject: string, recipients: readonly string[]): BkpError =>
  usageError(`cannot decrypt ${subject}: no identity was given`, {
    hint: `give the private key of ${describeRecipients(recipients)} by --identity FILE or BKP_AGE_IDENTITY_FILE`,
  });

/** The identities that were given are others than it is encrypted to. */
export const identityWrong = (subject: string, recipients: readonly string[]): BkpError =>
  usageError(`cannot decrypt ${subject}: no identity that was given opens it`, {
    hint: `it is encrypted to ${describeRecipients(recipients)}: give its private key by --identity FILE`,
  });

/** What age says, in the program and in the library, when no key fits. */
export const saysWrongIdentity = (text: string): boolean => /no identity matched/i.test(text);

const describeRecipients = (recipients: readonly string[]): string =>
  recipients.length === 0 ? 'a recipient' : recipients.map(shortRecipient).join(' or ');
