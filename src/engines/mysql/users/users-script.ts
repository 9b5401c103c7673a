import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RawReader } from '../../engine.ts';

/** Name of the artifact that holds users, which belong to the server. */
export const USERS = 'users';
export const USERS_FORMAT = 'mysql-users';

/** One user or role with what makes it and what it may do, in order. */
export interface CapturedUser {
  /** As statements name it: `app`@`%`. */
  readonly account: string;
  readonly statements: readonly string[];
}

const HEAD = '-- Users and their rights';
const END = '-- Users completed';
const USER = '-- user ';

/** SQL that makes users: readable, and read back here line by line. */
export function writeUsers(users: readonly CapturedUser[]): string {
  const blocks = users.map(({ account, statements }) =>
    [`${USER}${account}`, ...statements.map((statement) => `${statement};`)].join('\n'),
  );
  return [HEAD, ...blocks, END, ''].join('\n');
}

/** Reads what `writeUsers` wrote. Throws `integrity` for a script that is cut. */
function parseUsers(script: string): readonly CapturedUser[] {
  if (!script.startsWith(HEAD) || !script.endsWith(`\n${END}\n`))
    throw integrityError('cannot read the users: their end mark is missing', {
      hint: 'what wrote them was stopped, or the copy is incomplete',
    });
  const users: { account: string; statements: string[] }[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith(USER)) users.push({ account: line.slice(USER.length), statements: [] });
    else if (line.endsWith(';')) users.at(-1)?.statements.push(line.slice(0, -1));
  }
  return users;
}

/** `{ globals: { users: 4 } }`. */
export const usersFacts = (users: readonly CapturedUser[]): Facts => ({ globals: { users: users.length } });

/** Sees the script while it is stored. It is small: it is held whole. */
export function openUsersInspector(): RawReader {
  const chunks: Buffer[] = [];
  return {
    push: (chunk) => void chunks.push(Buffer.from(chunk)),
    end: () => usersFacts(parseUsers(Buffer.concat(chunks).toString('utf8'))),
  };
}

/** Reads the stored script. */
export async function readUsers(artifact: IncomingArtifact): Promise<readonly CapturedUser[]> {
  const chunks: Buffer[] = [];
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) chunks.push(Buffer.from(chunk as Buffer));
    },
  });
  return parseUsers(Buffer.concat(chunks).toString('utf8'));
}
