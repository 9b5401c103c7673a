import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { reasonOf, usageError } from '../errors.ts';

/** What comes before the 32 bytes of a key in its DER forms. */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

const PUBLIC = 'ed25519:';
const PRIVATE = 'ed25519-private:';
const KEY_BYTES = 32;

/** Points of small order: signatures of such a key can be made by anybody. */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `01${'00'.repeat(30)}80`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  `ec${'ff'.repeat(30)}7f`,
  `ec${'ff'.repeat(31)}`,
  `ed${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(31)}`,
  `ee${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]);

/** A private key at hand. */
export interface SigningKey {
  /** `ed25519:<base64>`. */
  readonly publicKey: string;
  /** The signature of a text, in base64. */
  sign(text: string): string;
}

/** A new key pair, both halves in their one-line form. */
export function makeSigningKeys(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PRIVATE_DER.length);
  return { privateKey: PRIVATE + seed.toString('base64'), publicKey: publicHalf(privateKey) };
}

/**
 * Reads a private key: the one line that `bkp keygen signing` makes, among comments, or PKCS#8 PEM. The errors say nothing
 * of its text.
 */
export function readSigningKey(text: string): SigningKey {
  const key = parsePrivate(text);
  if (key.asymmetricKeyType !== 'ed25519')
    throw usageError(`cannot use the signing key: it is ${key.asymmetricKeyType ?? 'of another kind'}, not ed25519`);
  return { publicKey: publicHalf(key), sign: (signed) => sign(null, Buffer.from(signed), key).toString('base64') };
}

/** What is wrong with a public key in its one-line form; undefined when nothing is. */
export function publicKeyProblem(text: string): string | undefined {
  if (text.startsWith(PRIVATE) || text.includes('PRIVATE KEY')) return 'it is a private key';
  if (!text.startsWith(PUBLIC)) return `it does not begin with ${PUBLIC}`;
  const bytes = bytesOf(text.slice(PUBLIC.length), KEY_BYTES);
  if (bytes === undefined) return 'it is not 32 bytes in base64';
  return SMALL_ORDER.has(bytes.toString('hex')) ? 'it is a key that every signature fits' : undefined;
}

/** True when a signature in base64 was made over exactly this text with the private half of a public key. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const value = bytesOf(signature, 64);
  if (value === undefined || publicKeyProblem(publicKey) !== undefined) return false;
  const raw = Buffer.from(publicKey.slice(PUBLIC.length), 'base64');
  try {
    const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(text), key, value);
  } catch {
    return false;
  }
}

function parsePrivate(text: string): KeyObject {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const [line = ''] = lines;
  if (line.startsWith(PRIVATE) && lines.length === 1) {
    const seed = bytesOf(line.slice(PRIVATE.length), KEY_BYTES);
    if (seed === undefined) throw unusable('it is not 32 bytes in base64');
    return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
  }
  if (!line.startsWith('-----BEGIN')) throw unusable('it is no private key');
  try {
    return createPrivateKey({ key: text, format: 'pem' });
  } catch (error) {
    throw unusable(reasonOf(error));
  }
}

const unusable = (reason: string): Error =>
  usageError(`cannot use the signing key: ${reason}`, {
    hint: 'the file that `bkp keygen signing FILE` makes, or an Ed25519 key in PKCS#8 PEM without a passphrase',
  });

function publicHalf(key: KeyObject): string {
  const der = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return PUBLIC + der.subarray(PUBLIC_DER.length).toString('base64');
}

/** Only the one text that base64 has for some bytes. */
function bytesOf(text: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64') === text ? bytes : undefined;
}
