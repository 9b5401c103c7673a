import { recipientsOf } from '../encryption/age-library.ts';
import { BkpError } from '../errors.ts';
import { encryptionOf } from './encryption-of.ts';
import type { Observation } from './observation.ts';
import type { Session } from './session.ts';

type Found = Required<Pick<Observation, 'encryption'>> & Pick<Observation, 'identities' | 'notices'>;

/** To whom the policy encrypts, with files and references looked up, and what this run could open. */
export async function observeEncryption(session: Session): Promise<Found> {
  const notices = new Set<string>();
  const encryption = session.policy.backups.map((backup) => {
    const known = backup.repositories.flatMap((repository): readonly (readonly [string, readonly string[]])[] => {
      try {
        return [[repository, encryptionOf(session, backup, repository)?.recipients ?? []]];
      } catch (error) {
        if (!(error instanceof BkpError)) throw error;
        notices.add(error.message);
        return [];
      }
    });
    return [backup.name, Object.fromEntries(known)] as const;
  });
  const { identities } = session.context;
  return {
    encryption: Object.fromEntries(encryption),
    ...(identities === undefined
      ? {}
      : { identities: { recipients: await recipientsOf(identities.keys), hasOthers: identities.hasOthers } }),
    notices: [...notices],
  };
}
