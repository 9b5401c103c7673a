import { reasonOf } from '../../../errors.ts';
import type { IncomingArtifact, RestoreOutcome } from '../../engine.ts';
import { openUsersReader, USERS_FORMAT } from '../capture/users.ts';
import type { Session } from '../server/session.ts';
import { pushInto } from './push-into.ts';

/** The users that a snapshot has; none where they were not captured. Throws `integrity` where the list is damaged. */
export async function readUsers(artifacts: readonly IncomingArtifact[]): Promise<readonly string[]> {
  const artifact = artifacts.find(({ format }) => format === USERS_FORMAT);
  if (artifact === undefined) return [];
  const reader = openUsersReader();
  await pushInto(artifact, reader);
  reader.end();
  return reader.lines();
}

/** Makes the users that the server lacks. Who is there stays as it is, whatever the mode: it may be we ourselves. */
export async function restoreUsers(
  lines: readonly string[],
  session: Session,
): Promise<Pick<RestoreOutcome, 'restored' | 'warnings'>> {
  if (lines.length === 0) return { restored: {}, warnings: [] };
  const reply = await session.command('ACL', 'LIST');
  const there = new Map((typeof reply === 'object' && reply !== null ? reply : []).map((line) => parse(String(line))));
  const warnings: string[] = [];
  let made = 0;
  for (const [name, rules] of lines.map(parse)) {
    const own = there.get(name);
    if (own !== undefined && own !== rules)
      warnings.push(`user ${name} has other rights or passwords there and keeps them`);
    if (own !== undefined) continue;
    try {
      await session.command('ACL', 'SETUSER', name, ...rules.split(' '));
      made += 1;
    } catch (error) {
      warnings.push(`user ${name} was not made: ${reasonOf(error)}`);
    }
  }
  const isSaved = made === 0 || (await session.command('ACL', 'SAVE').catch(() => null)) !== null;
  if (!isSaved) warnings.push('the users last until the server ends: it has no ACL file, so run CONFIG REWRITE there');
  return { restored: made === 0 ? {} : { users: made }, warnings };
}

function parse(line: string): readonly [string, string] {
  const [, name = '', rules = ''] = /^user (\S+) (.*)$/s.exec(line) ?? [];
  return [name, rules];
}
