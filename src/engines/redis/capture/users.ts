import { Readable } from 'node:stream';
import { integrityError } from '../../../errors.ts';
import type { OutgoingArtifact, RawReader } from '../../engine.ts';
import type { Session } from '../server/session.ts';

const USERS = 'users';
/** The lines of an ACL file, and an empty one that ends them. */
export const USERS_FORMAT = 'redis-acl';

/** The users of the access control list, as the server writes them into an ACL file. */
export async function captureUsers(session: Session): Promise<OutgoingArtifact> {
  const reply = await session.command('ACL', 'LIST');
  const lines = typeof reply === 'object' && reply !== null ? reply.map(String) : [];
  const text = Buffer.from([...lines, '', ''].join('\n'));
  return {
    name: USERS,
    extension: 'acl',
    format: USERS_FORMAT,
    source: { kind: 'stream', open: () => Readable.from([text], { objectMode: false }) },
    estimatedBytes: text.length,
    inspect: { open: openUsersReader },
  };
}

export interface UsersReader extends RawReader {
  /** What was pushed, line by line. */
  lines(): readonly string[];
}

/** Reads an ACL file. Throws `integrity` unless it has nothing but users and its end. */
export function openUsersReader(): UsersReader {
  let text = '';
  const lines = (): readonly string[] => text.split('\n').slice(0, -2);
  return {
    push: (chunk) => void (text += chunk.toString('latin1')),
    end() {
      const isWhole = text.endsWith('\n\n') && lines().every((line) => /^user \S+ /.test(line));
      if (!isWhole) throw integrityError('cannot read the users: the list is cut or is none');
      return { users: lines().length };
    },
    lines: () => lines().map((line) => Buffer.from(line, 'latin1').toString()),
  };
}
