import { unquoteIdentifier } from '../server/quote.ts';
import { rolesIn } from './needs.ts';
import type { Section } from './sections.ts';
import { splitStatements } from './split-statements.ts';

/** Who there is on a server, and who restores. */
export interface ServerRoles {
  /** Role names, and whether the user may act as them. */
  readonly roles: ReadonlyMap<string, boolean>;
  readonly isSuperuser: boolean;
  readonly user: string;
}

/** Follows the statements that give rights, in their order. */
export interface RightsJudge {
  /** Why the server cannot carry out one in an entry of this type; null where it can. */
  whyNot(type: string, statement: string): string | null;
  /** In whose name rights are given now: a statement, or nothing where the one who restores gives them. */
  readonly actsAs: string;
}

const ACT_AS = /^SET SESSION AUTHORIZATION (.*?);?$/s;
const ACT_AS_ONESELF = /^(?:RESET SESSION AUTHORIZATION|SET SESSION AUTHORIZATION DEFAULT);?$/;
const MAY_HAND_ON = /^GRANT .* ON (.*) TO (.*) WITH GRANT OPTION;?$/s;
const OBJECT = /^(?:GRANT|REVOKE) .*? ON (.*) (?:TO|FROM) /s;

export const missingReason = (role: string): string => `role ${role} is missing`;

/** What a role hands on it must have been given before: where that was left out, so is this. */
export function openRightsJudge({ roles, isSuperuser, user }: ServerRoles): RightsJudge {
  let grantor: string | null = null;
  let actsAs = '';
  const lost = new Map<string, string>();
  const missing = (names: readonly string[]): string | null => {
    const name = names.find((one) => !roles.has(one));
    return name === undefined ? null : missingReason(name);
  };
  const ofGrantor = (statement: string): string | null => {
    if (grantor === null) return null;
    const object = OBJECT.exec(statement)?.[1] ?? '';
    const reason = missing([grantor]) ?? lost.get(JSON.stringify([object, grantor]));
    return reason ?? (isSuperuser ? null : `user ${user} may not grant for others`);
  };
  return {
    get actsAs() {
      return actsAs;
    },
    whyNot(type, statement) {
      if (ACT_AS_ONESELF.test(statement)) {
        grantor = null;
        actsAs = '';
        return null;
      }
      const acting = ACT_AS.exec(statement)?.[1];
      if (acting !== undefined) {
        grantor = unquoteIdentifier(acting);
        actsAs = `SET SESSION AUTHORIZATION ${acting};`;
        return null;
      }
      const named = rolesIn({ type, sql: `${statement.replace(/;$/, '').replaceAll('\n', ' ')};` });
      const [owner] = named;
      const isForeign = type === 'DEFAULT ACL' && !isSuperuser && owner !== undefined && roles.get(owner) === false;
      const reason =
        missing(named) ?? ofGrantor(statement) ?? (isForeign ? `user ${user} is no member of role ${owner}` : null);
      const [, object = '', role = ''] = (reason !== null && MAY_HAND_ON.exec(statement)) || [];
      if (reason !== null && role !== '') lost.set(JSON.stringify([object, unquoteIdentifier(role)]), reason);
      return reason;
    },
  };
}

/** What of an entry that gives rights a server can carry out. */
export interface KeptRights {
  /** Its statements; null where none is left. */
  readonly sql: string | null;
  /** Why others are left out; none where all is kept. */
  readonly reasons: ReadonlySet<string>;
}

const GIVES_RIGHTS = /^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) /;

/** Takes the statements out of an entry that name missing roles, or are theirs. */
export function keepRights({ type, sql }: Pick<Section, 'type' | 'sql'>, judge: RightsJudge): KeptRights {
  const reasons = new Set<string>();
  const kept: string[] = [];
  for (const statement of splitStatements(sql)) {
    const reason = judge.whyNot(type, statement);
    if (reason !== null) reasons.add(reason);
    else if (GIVES_RIGHTS.test(statement)) kept.push(inNameOf(judge, `${statement};`));
  }
  return { sql: kept.length === 0 ? null : kept.join('\n'), reasons };
}

/** A statement that gives rights, so that it can be run by itself. */
export const inNameOf = ({ actsAs }: RightsJudge, statement: string): string =>
  actsAs === '' ? statement : `${actsAs}\n${statement}\nRESET SESSION AUTHORIZATION;`;
