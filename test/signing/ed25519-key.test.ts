import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSignedBy, makeSigningKeys, publicKeyProblem, readSigningKey } from '../../src/signing/ed25519-key.ts';
import { signingWith } from '../../src/signing/signing.ts';

const { privateKey, publicKey } = makeSigningKeys();
const key = readSigningKey(privateKey);
const pemOf = (type: 'ed25519' | 'ed448'): string =>
  (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ed448')).privateKey
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();

test('a key reads back as it was made, also among comments', () => {
  expect(key.publicKey).toBe(publicKey);
  expect(readSigningKey(`# public key: ${publicKey}\n${privateKey}\n`).publicKey).toBe(publicKey);
  expect(publicKeyProblem(publicKey)).toBeUndefined();
});

test('PKCS#8 PEM of an Ed25519 key works as well', () => {
  const other = readSigningKey(pemOf('ed25519'));
  expect(isSignedBy(other.publicKey, 'text', other.sign('text'))).toBe(true);
});

test.each([
  ['another curve', pemOf('ed448')],
  ['a public key', publicKey],
  ['a short one', 'ed25519-private:AAAA'],
  ['two keys', `${privateKey}\n${privateKey}`],
  ['PEM that is cut', pemOf('ed25519').slice(0, 60)],
  ['nothing', ''],
])('%s is refused without a word of its text', (_name, text) => {
  expect(() => readSigningKey(text)).toThrow(/^cannot use the signing key: /);
  const secret = text.split('\n').at(1) ?? '';
  if (secret.length > 20) expect(() => readSigningKey(text)).not.toThrow(secret);
});

describe('a signature', () => {
  const value = key.sign('text');

  test('is right for its key and its text only', () => {
    expect(isSignedBy(publicKey, 'text', value)).toBe(true);
    expect(isSignedBy(publicKey, 'texts', value)).toBe(false);
    expect(isSignedBy(makeSigningKeys().publicKey, 'text', value)).toBe(false);
  });

  test.each([
    ['cut', value.slice(0, 40)],
    ['longer', `${value}AAAA`],
    ['empty', ''],
    ['written otherwise', value.replace(/=+$/, '')],
    ['all zero', Buffer.alloc(64).toString('base64')],
  ])('that is %s is wrong', (_name, changed) => expect(isSignedBy(publicKey, 'text', changed)).toBe(false));

  test.each(['ed448:', 'rsa:', '', 'ED25519:'])('of another algorithm (%s) is wrong', (prefix) =>
    expect(isSignedBy(publicKey.replace('ed25519:', prefix), 'text', value)).toBe(false),
  );

  test('of a key that every signature fits is wrong', () => {
    // The neutral point: with it anybody could sign anything.
    const neutral = `ed25519:${Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64')}`;
    const forged = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]).toString('base64');
    expect(publicKeyProblem(neutral)).toBe('it is a key that every signature fits');
    expect(isSignedBy(neutral, 'text', forged)).toBe(false);
  });
});

test.each([
  [privateKey, 'it is a private key'],
  [publicKey.slice(8), 'it does not begin with ed25519:'],
  [`${publicKey}=`, 'it is not 32 bytes in base64'],
  ['ed25519:', 'it is not 32 bytes in base64'],
])('%s is no public key', (text, problem) => expect(publicKeyProblem(text)).toBe(problem));

describe('what a run signs with', () => {
  const failing = (): string => {
    throw new Error('the variable is not set');
  };

  test.each([
    ['no private key', (): undefined => undefined, 'names `signing.publicKeys` and no `signing.privateKey`'],
    ['one that cannot be had', failing, 'the variable is not set'],
    ['one of another pair', (): string => makeSigningKeys().privateKey, 'is not among `signing.publicKeys`'],
    ['what is no key', (): string => 'secret text', 'it is no private key'],
  ])('%s is refused when something is to be signed', (_name, readKey, message) => {
    const signing = signingWith([publicKey], readKey);
    expect(() => signing.key()).toThrow(message);
    expect(() => signing.key()).not.toThrow('secret text');
    expect(signing.keyIfThere()).toBeUndefined();
  });

  test('is looked up once, when it is needed', () => {
    let asked = 0;
    const signing = signingWith([publicKey], () => {
      asked += 1;
      return privateKey;
    });
    expect(asked).toBe(0);
    expect(signing.key().publicKey).toBe(publicKey);
    expect(signing.keyIfThere()?.publicKey).toBe(publicKey);
    expect(asked).toBe(1);
  });
});
