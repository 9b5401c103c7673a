import { Readable } from 'node:stream';
import type { Decrypter, Encrypter } from 'age-encryption';

/** age inside Node, for machines without the program: a tenth of its speed, native keys only. */

/** Encrypts a stream. What goes wrong in the plain one goes wrong in the other. */
export async function encryptInNode(
  plain: AsyncIterable<Uint8Array>,
  recipients: readonly string[],
): Promise<Readable> {
  const encrypter = await encrypterTo(recipients);
  return asReadable(await encrypter.encrypt(ReadableStream.from(plain)));
}

/** Decrypts a stream. Rejects when no key fits; the stream breaks where it was changed or cut, after what was right. */
export async function decryptInNode(stored: AsyncIterable<Uint8Array>, keys: readonly string[]): Promise<Readable> {
  const decrypter = await decrypterWith(keys);
  return asReadable(await decrypter.decrypt(ReadableStream.from(stored)));
}

const asReadable = (stream: ReadableStream<Uint8Array>): Readable =>
  Readable.from(stream, { objectMode: false, highWaterMark: 256 * 1024 });

/** Encrypts a short text, as text. */
export async function sealInNode(text: string, recipients: readonly string[]): Promise<string> {
  const { armor } = await import('age-encryption');
  const encrypter = await encrypterTo(recipients);
  return armor.encode(await encrypter.encrypt(text));
}

/** The reverse; throws when no key fits or when it is damaged. */
export async function unsealInNode(sealed: string, keys: readonly string[]): Promise<string> {
  const { armor } = await import('age-encryption');
  const decrypter = await decrypterWith(keys);
  return decrypter.decrypt(armor.decode(sealed), 'text');
}

async function encrypterTo(recipients: readonly string[]): Promise<Encrypter> {
  const age = await import('age-encryption');
  const encrypter = new age.Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter;
}

async function decrypterWith(keys: readonly string[]): Promise<Decrypter> {
  const age = await import('age-encryption');
  const decrypter = new age.Decrypter();
  for (const key of keys) decrypter.addIdentity(key);
  return decrypter;
}

/** A new native key pair. */
export async function makeKeyPair(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The public keys of native private ones. */
export async function recipientsOf(keys: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  const { identityToRecipient } = await import('age-encryption');
  return Promise.all(keys.map((key) => identityToRecipient(key)));
}
