import { hasBech32Checksum } from './bech32.ts';

/** The public keys that bkp encrypts to. */
const NATIVE = /^age1[02-9ac-hj-np-z]{58}$/;
const SSH = /^(ssh-ed25519|ssh-rsa) ([A-Za-z0-9+/]{60,}={0,2})(?: .*)?$/;

/** Why a text is not a recipient, one clause that never repeats the text, which may be a secret; undefined when it is one. */
export function recipientProblem(text: string): string | undefined {
  if (/^AGE-SECRET-KEY-|PRIVATE KEY/i.test(text)) return 'it is a private key: what encrypts is the public one';
  const ssh = SSH.exec(text);
  if (ssh !== null) return holdsName(ssh[2] ?? '', ssh[1] ?? '') ? undefined : 'the SSH key is not whole';
  if (/^ssh-|^ecdsa-|^sk-/.test(text)) return 'of SSH keys only ssh-ed25519 and ssh-rsa work';
  if (/^age1[a-z0-9]+1/.test(text) && !NATIVE.test(text)) return 'recipients of age plugins do not work';
  if (!NATIVE.test(text)) return 'it is neither age1… nor ssh-ed25519 … nor ssh-rsa …';
  return hasBech32Checksum(text) ? undefined : 'its check digits are wrong: a character was mistyped or left out';
}

/** SSH keys are for the age program only. */
export const isSshKey = (recipient: string): boolean => recipient.startsWith('ssh-');

/** The recipients in a file, one on each line; empty lines and those that begin with # are left out. */
export const recipientsIn = (text: string): readonly string[] =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** The same set of recipients, in whatever order and with whatever comments. */
export const areSameRecipients = (a: readonly string[], b: readonly string[]): boolean =>
  canonicalRecipients(a).join('\n') === canonicalRecipients(b).join('\n');

/** A recipient for people: long enough to find the key by. */
export const shortRecipient = (recipient: string): string =>
  recipient.length <= 70 ? recipient : `${recipient.slice(0, 24)}…${recipient.slice(-12)}`;

/** Recipients without comments, each once, sorted: as manifests keep them. */
export const canonicalRecipients = (recipients: readonly string[]): readonly string[] =>
  [...new Set(recipients.map((one) => one.split(' ').slice(0, 2).join(' ')))].toSorted();

/** An SSH public key begins with its own kind. */
function holdsName(base64: string, name: string): boolean {
  const bytes = Buffer.from(base64, 'base64');
  return (
    bytes.length > 4 + name.length &&
    bytes.readUInt32BE() === name.length &&
    bytes.toString('latin1', 4, 4 + name.length) === name
  );
}
