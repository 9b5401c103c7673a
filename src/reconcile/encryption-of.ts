import { resolve } from 'node:path';
import { chooseEncryption } from '../encryption/cipher.ts';
import { canonicalRecipients, recipientProblem, recipientsIn } from '../encryption/recipient.ts';
import { reasonOf, usageError } from '../errors.ts';
import type { Encryption } from '../generated/policy.ts';
import { resolveRepository } from '../policy/references.ts';
import type { ResolvedBackup } from '../policy/resolved-policy.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Session } from './session.ts';

/** To whom a backup is encrypted in one repository. */
export interface WantedEncryption {
  /** Public keys without comments, sorted. */
  readonly recipients: readonly string[];
  /** What tells of the content is encrypted in the manifest too. */
  readonly sealsManifest: boolean;
}

/** What the policy wants; null where everybody may read. Throws `usage` where it cannot be known or is no key. */
export function encryptionOf(
  session: Session,
  backup: Pick<ResolvedBackup, 'name' | 'encryption'>,
  repository: string,
): WantedEncryption | null {
  if (backup.encryption !== undefined) return read(session, backup.encryption, '/', `backup ${backup.name}`);
  const resolved = session.policy.repositories.find(({ name }) => name === repository);
  if (resolved === undefined || !('encryption' in resolved.config)) return null;
  const { config } = resolveRepository(resolved, session.lookups);
  const encryption = 'encryption' in config ? config.encryption : undefined;
  return encryption === undefined ? null : read(session, encryption, resolved.directory, `repository ${repository}`);
}

/** The same for a repository that is at hand. Throws `tool` where this machine cannot encrypt so. */
export function encryptionFor(
  session: Session,
  backup: Pick<ResolvedBackup, 'name' | 'encryption'>,
  repository: Repository,
): WantedEncryption | null {
  const opened = session.repositories.find((one) => one.repository === repository);
  if (opened === undefined) throw new Error(`${repository.location} is no repository of the session`);
  const wanted = encryptionOf(session, backup, opened.name);
  if (wanted !== null) chooseEncryption(wanted.recipients, session.context);
  return wanted;
}

function read(session: Session, encryption: Encryption, directory: string, owner: string): WantedEncryption {
  const { recipients = [], recipientsFile, manifest } = encryption;
  const all = [
    ...recipients,
    ...(recipientsFile === undefined ? [] : inFile(session, directory, recipientsFile, owner)),
  ];
  const [problem] = all.flatMap((recipient, index) => {
    const found = recipientProblem(recipient);
    return found === undefined ? [] : [`recipient ${index + 1}: ${found}`];
  });
  if (problem !== undefined) throw usageError(`cannot encrypt for ${owner}: ${problem}`);
  if (all.length === 0) throw usageError(`cannot encrypt for ${owner}: it names no recipient`);
  return { recipients: canonicalRecipients(all), sealsManifest: manifest !== 'open' };
}

function inFile(session: Session, directory: string, file: string, owner: string): readonly string[] {
  try {
    return recipientsIn(session.lookups.readFile(resolve(directory, file)));
  } catch (error) {
    throw usageError(`cannot encrypt for ${owner}: ${reasonOf(error)}`, {
      hint: '`recipientsFile` holds one public key on each line',
      cause: error,
    });
  }
}
