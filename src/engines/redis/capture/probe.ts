import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import { asProblem } from '../../as-problem.ts';
import type { Probe, Problem } from '../../engine.ts';
import type { RedisTarget } from '../server/connection.ts';
import { readInfo } from '../server/server-info.ts';
import { connect, type Session } from '../server/session.ts';
import { warningsOf } from './findings.ts';

/** Looks whether a capture could start, without making the server begin one. */
export async function probeRedis(target: RedisTarget, context: Context): Promise<Probe> {
  try {
    const session = await connect(target, context);
    try {
      const info = await readInfo(session);
      return {
        versions: { server: info.version, tool: null },
        estimatedBytes: Number(info.fields.get('used_memory_dataset') ?? 0),
        problems: [...(await replicationProblems(session)), ...(await userProblems(target, session))],
        warnings: warningsOf(info),
      };
    } finally {
      session.close();
    }
  } catch (error) {
    const problems = [asProblem(error)];
    return { versions: { server: null, tool: null }, estimatedBytes: null, problems, warnings: [] };
  }
}

/** An offset that is no number is refused only after the right to ask, and the link of a replica, were looked at. */
async function replicationProblems(session: Session): Promise<readonly Problem[]> {
  const said = await session.command('PSYNC', '?', 'bkp').catch((error: unknown) => error);
  if (!(said instanceof BkpError)) return [];
  if (said.code === 'interrupted') throw said;
  return /not an integer/.test(said.message) ? [] : [{ message: said.message, hint: said.hint }];
}

async function userProblems({ users }: RedisTarget, session: Session): Promise<readonly Problem[]> {
  if (users !== true) return [];
  const said = await session.command('ACL', 'LIST').catch((error: unknown) => error);
  if (!(said instanceof BkpError)) return [];
  if (said.code === 'interrupted') throw said;
  return [{ message: said.message, hint: 'grant +acl|list to the user, or leave `users` out' }];
}
