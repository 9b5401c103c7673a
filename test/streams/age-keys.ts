import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type Identities, readIdentities } from '../../src/encryption/identities.ts';
import { readFileSync } from 'node:fs';

/** A key pair, with its private half in a file. */
export interface AgeKey {
  readonly recipient: string;
  readonly file: string;
  readonly identities: Identities;
}

/** Makes a native key in a folder. */
export async function ageKey(folder: string, name: string = 'identity'): Promise<AgeKey> {
  const identity = await generateX25519Identity();
  const file = join(folder, `${name}.txt`);
  await writeFile(file, `# made for a test\n${identity}\n`, { mode: 0o600 });
  return { recipient: await identityToRecipient(identity), file, identities: identitiesOf(file) };
}

/** Makes an SSH key in a folder. */
export async function sshKey(folder: string, type: 'ed25519' | 'rsa'): Promise<AgeKey> {
  const file = join(folder, `id_${type}`);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test key', '-f', file]);
  return { recipient: readFileSync(`${file}.pub`, 'utf8').trim(), file, identities: identitiesOf(file) };
}

const identitiesOf = (file: string): Identities => readIdentities([file], (path) => readFileSync(path, 'utf8'));
