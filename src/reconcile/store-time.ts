import type { Context } from '../context.ts';
import { BkpError } from '../errors.ts';
import { formatDuration } from './phrases.ts';
import type { Session } from './session.ts';

/** Further apart than this, the clocks of a machine and a store are worth a warning. */
const APART_MS = 60_000;

/**
 * The session with the time of the first repository that tells one, so that machines whose clocks differ plan the same; a
 * store that does not answer is no reason to fail here. Far apart is a notice of every plan.
 */
export async function withStoreTime(session: Session): Promise<Session> {
  const { clock } = session.context;
  for (const { name, repository } of session.repositories) {
    if (repository === null) continue;
    const asked = clock.now().getTime();
    const told = await repository.now().catch((error: unknown) => {
      if (error instanceof BkpError && error.code !== 'interrupted') return undefined;
      throw error;
    });
    if (told === undefined) continue;
    const offsetMs = told.getTime() - (asked + clock.now().getTime()) / 2;
    const notices = Math.abs(offsetMs) > APART_MS ? [noticeOf(name, offsetMs)] : [];
    return { ...session, context: shifted(session.context, offsetMs), notices };
  }
  return session;
}

const noticeOf = (name: string, offsetMs: number): string =>
  `the clock of this machine is ${formatDuration(Math.abs(offsetMs))} ${offsetMs < 0 ? 'ahead of' : 'behind'} that of ${name}; the time of ${name} is used`;

const shifted = (context: Context, offsetMs: number): Context => ({
  ...context,
  clock: { ...context.clock, now: () => new Date(context.clock.now().getTime() + offsetMs) },
  withSignal: (signal) => shifted(context.withSignal(signal), offsetMs),
});
