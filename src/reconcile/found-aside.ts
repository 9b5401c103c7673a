import type { FoundAside } from '../engines/engine.ts';
import { BkpError } from '../errors.ts';
import type { Target } from '../generated/policy.ts';
import type { SetAsideRecord } from '../snapshots/run-record.ts';
import { prepareDestination } from './prepare-restore.ts';
import type { Session } from './session.ts';

/** An old state with the destination it was moved away from, which tells an engine how to reach it. */
export function foundAside(session: Session, { type, reference, target, into }: SetAsideRecord): FoundAside<Target> {
  const known = session.policy.backups
    .flatMap((backup) => backup.targets)
    .find((one) => (one.name === target || one.formerly.includes(target)) && one.config.type === type);
  if (known === undefined) return { type, reference };
  try {
    return { type, reference, destination: prepareDestination(session, known, into) };
  } catch (error) {
    // A reference that cannot be resolved, or a key of another version: the engine does without.
    if (error instanceof BkpError) return { type, reference };
    throw error;
  }
}
