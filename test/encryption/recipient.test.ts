import { randomBytes } from 'node:crypto';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  areSameRecipients,
  canonicalRecipients,
  recipientProblem,
  recipientsIn,
} from '../../src/encryption/recipient.ts';
import { readIdentities } from '../../src/encryption/identities.ts';

const recipient = await identityToRecipient(await generateX25519Identity());
const part = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
const sshEd25519 = `ssh-ed25519 ${Buffer.concat([part(Buffer.from('ssh-ed25519')), part(randomBytes(32))]).toString('base64')}`;

test('keys that age makes are recipients, and so are those of SSH', async () => {
  for (let run = 0; run < 50; run += 1) {
    expect(recipientProblem(await identityToRecipient(await generateX25519Identity()))).toBeUndefined();
  }
  expect(recipientProblem(sshEd25519)).toBeUndefined();
  expect(recipientProblem(`${sshEd25519} ann@desk`)).toBeUndefined();
});

test('one wrong character is found, wherever it is', () => {
  const letters = '023456789acdefghjklmnpqrstuvwxyz';
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: recipient.length - 1 }),
      fc.constantFrom(...letters.split('')),
      (at, letter) => {
        fc.pre(recipient[at] !== letter);
        expect(recipientProblem(recipient.slice(0, at) + letter + recipient.slice(at + 1))).toContain('check digits');
      },
    ),
  );
});

test.each([
  ['AGE-SECRET-KEY-1QQQQ', 'it is a private key'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', 'it is a private key'],
  ['ssh-ed25519 AAAA', 'only ssh-ed25519 and ssh-rsa work'],
  [sshEd25519.replace('ssh-ed25519 ', 'ssh-rsa '), 'the SSH key is not whole'],
  ['ecdsa-sha2-nistp256 AAAA', 'only ssh-ed25519 and ssh-rsa work'],
  ['age1yubikey1qwerty', 'recipients of age plugins do not work'],
  ['age1', 'neither age1'],
  ['someone', 'neither age1'],
  [recipient.toUpperCase(), 'neither age1'],
])('%s is none', (text, reason) => {
  expect(recipientProblem(text)).toContain(reason);
});

test('order, comments and repetitions make no difference', () => {
  expect(areSameRecipients([recipient, `${sshEd25519} ann`], [sshEd25519, recipient, recipient])).toBe(true);
  expect(areSameRecipients([recipient], [recipient, sshEd25519])).toBe(false);
  expect(canonicalRecipients([`${sshEd25519} ann`])).toEqual([sshEd25519]);
  expect(recipientsIn(`# who restores\r\n${recipient}\n\n  ${sshEd25519}  \n`)).toEqual([recipient, sshEd25519]);
});

test('identity files are read before anything else, and told apart', async () => {
  const native = await generateX25519Identity();
  const files: Readonly<Record<string, string>> = {
    native: `# comment\n${native}\n`,
    ssh: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    locked: 'age-encryption.org/v1\n-> scrypt …',
    public: recipient,
  };
  const read = (...names: readonly string[]) => readIdentities(names, (path) => files[path] ?? '');
  expect(read('native')).toEqual({ files: ['native'], keys: [native], hasOthers: false });
  expect(read('native', 'ssh')).toEqual({ files: ['native', 'ssh'], keys: [native], hasOthers: true });
  expect(read('locked')).toMatchObject({ keys: [], hasOthers: true });
  expect(() => read('native', 'public')).toThrow('cannot use identity public: it holds no private key of age or SSH');
});
