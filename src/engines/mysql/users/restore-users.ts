import type { Context } from '../../../context.ts';
import { BkpError, reasonOf } from '../../../errors.ts';
import type { IncomingArtifact, RestoreOutcome } from '../../engine.ts';
import { withoutValues } from '../server/explain-error.ts';
import type { MysqlTarget, Session } from '../server/connection.ts';
import { connectPatiently, steady } from '../server/patient-session.ts';
import { type CapturedUser, readUsers } from './users-script.ts';

/** Makes users and roles that the server lacks. What is there stays as it is; what cannot be made is told. */
export async function restoreUsers(
  artifact: IncomingArtifact,
  target: MysqlTarget,
  context: Context,
): Promise<Pick<RestoreOutcome, 'restored' | 'warnings'>> {
  const users = await readUsers(artifact);
  const session = await connectPatiently(target, steady(context), null);
  try {
    const warnings: string[] = [];
    const made: CapturedUser[] = [];
    for (const user of users) {
      if (await isThere(session, user)) continue;
      const [create = ''] = user.statements;
      const problem = await attempt(session, create);
      if (problem === null) made.push(user);
      else warnings.push(`user ${user.account} was not made: ${problem}`);
    }
    // A role may be granted to whom was made before it.
    for (const { account, statements } of made)
      for (const grant of statements.slice(1)) {
        const problem = await attempt(session, grant);
        if (problem !== null) warnings.push(`user ${account} was not granted all: ${problem}`);
      }
    return { restored: made.length === 0 ? {} : { users: made.length }, warnings };
  } finally {
    await session.close();
  }
}

async function isThere(session: Session, { account }: CapturedUser): Promise<boolean> {
  return session.query(`SHOW GRANTS FOR ${account}`).then(
    () => true,
    () => false,
  );
}

/** Gives the reason where the server refuses, without what the statement holds. */
async function attempt(session: Session, statement: string): Promise<string | null> {
  try {
    await session.query(statement);
    return null;
  } catch (error) {
    if (!(error instanceof BkpError) || error.code !== 'target') throw error;
    return withoutValues(reasonOf(error.cause ?? error)).replaceAll(/'[^']*'(?=.*near)|near '.*$/gs, '');
  }
}
