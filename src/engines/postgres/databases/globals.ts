import { integrityError } from '../../../errors.ts';
import type { Facts, IncomingArtifact, RawReader } from '../../engine.ts';
import { splitStatements } from '../script/split-statements.ts';
import { unquoteIdentifier } from '../server/quote.ts';

/** Name of the artifact that holds what belongs to the server. */
export const GLOBALS = 'globals';
export const GLOBALS_FORMAT = 'pg-globals';

/** What pg_dumpall wrote of roles, memberships and tablespaces, statement by statement. */
export interface Globals {
  /** By role, what makes it and all that is set for it, in order. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly memberships: readonly Membership[];
  /** By tablespace, the same as for roles. */
  readonly tablespaces: ReadonlyMap<string, readonly string[]>;
  /** Grants on parameters and what later versions add. */
  readonly others: readonly string[];
}

export interface Membership {
  readonly role: string;
  readonly member: string;
  /** Without the name of who granted it, which may not be there. */
  readonly statement: string;
}

const IDENTIFIER = String.raw`("(?:[^"]|"")+"|[^\s";]+)`;
const ROLE = new RegExp(
  String.raw`^(?:CREATE ROLE|ALTER ROLE|COMMENT ON ROLE|SECURITY LABEL FOR \S+ ON ROLE) ${IDENTIFIER}`,
);
const TABLESPACE = new RegExp(
  String.raw`^(?:CREATE TABLESPACE|ALTER TABLESPACE|COMMENT ON TABLESPACE|(?:GRANT|REVOKE) .*? ON TABLESPACE) ${IDENTIFIER}`,
);
const MEMBERSHIP = new RegExp(
  String.raw`^GRANT ${IDENTIFIER} TO ${IDENTIFIER}(?: WITH .*?)?( GRANTED BY ${IDENTIFIER})?$`,
);
const SESSION = /^SET /;
const END_MARK = '-- PostgreSQL database cluster dump complete';

/** Reads a script of `pg_dumpall --globals-only`. Throws `integrity` for one that is cut. */
export function parseGlobals(script: string): Globals {
  if (!script.includes(`\n${END_MARK}\n`))
    throw integrityError('cannot read the globals: their end mark is missing', {
      hint: 'the program that wrote them was stopped, or the copy is incomplete',
    });
  const roles = new Map<string, readonly string[]>();
  const tablespaces = new Map<string, readonly string[]>();
  const memberships: Membership[] = [];
  const others: string[] = [];
  for (const statement of splitStatements(script)) {
    const role = ROLE.exec(statement)?.[1];
    const tablespace = TABLESPACE.exec(statement)?.[1];
    const [, granted, member, by = ''] = MEMBERSHIP.exec(statement) ?? [];
    if (role !== undefined)
      roles.set(unquoteIdentifier(role), [...(roles.get(unquoteIdentifier(role)) ?? []), statement]);
    else if (tablespace !== undefined) {
      const name = unquoteIdentifier(tablespace);
      tablespaces.set(name, [...(tablespaces.get(name) ?? []), statement]);
    } else if (granted !== undefined && member !== undefined) {
      const bare = statement.slice(0, statement.length - by.length);
      memberships.push({ role: unquoteIdentifier(granted), member: unquoteIdentifier(member), statement: bare });
    } else if (!SESSION.test(statement)) others.push(statement);
  }
  return { roles, memberships, tablespaces, others };
}

/** Sees the script while it is stored. It is small: it is held whole. */
export function openGlobalsInspector(): RawReader {
  const chunks: Buffer[] = [];
  return {
    push(chunk) {
      chunks.push(Buffer.from(chunk));
    },
    end: () => globalsFacts(parseGlobals(Buffer.concat(chunks).toString('utf8'))),
  };
}

/** How many there are of each kind: `{ globals: { roles: 4, … } }`. */
export const globalsFacts = ({ roles, memberships, tablespaces }: Globals): Facts => ({
  globals: { roles: roles.size, memberships: memberships.length, tablespaces: tablespaces.size },
});

/** Reads the stored script. */
export async function readGlobals(artifact: IncomingArtifact): Promise<Globals> {
  const chunks: Buffer[] = [];
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      for await (const chunk of raw) chunks.push(Buffer.from(chunk as Buffer));
    },
  });
  return parseGlobals(Buffer.concat(chunks).toString('utf8'));
}
