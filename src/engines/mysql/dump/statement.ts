/** What a statement of a dump is about. */
export type StatementKind =
  | 'table'
  | 'drop-table'
  | 'keys'
  | 'lock'
  | 'rows'
  | 'sequence'
  | 'view-stand-in'
  | 'view'
  | 'trigger'
  | 'routine'
  | 'event'
  | 'drop'
  | 'session'
  | 'delimiter'
  | 'sandbox'
  | 'alter-database'
  | 'other-database'
  | 'other';

export interface Statement {
  readonly kind: StatementKind;
  /** Of the table, view, trigger, routine or event; empty where there is none. */
  readonly name: string;
  /** What `drop` drops: `view`, `event`, `procedure` …; of a routine what it is. */
  readonly of: string;
  /** `user@host`, where the statement names who something runs as. */
  readonly definer: string | null;
}

const QUOTED = '`(?:[^`]|``)*`';
const NAME = '`((?:[^`]|``)*)`';
/** MariaDB gives the head of a trigger back as it was typed. */
const TYPED = `(?:${QUOTED}|[\\w$\\u0080-\\uffff]+)`;
/** Enough for everything that stands before a name. */
const HEAD_BYTES = 4096;
const LEAD = /^(?:\s+|--(?:[ \t][^\n]*)?\r?(?:\n|$)|#[^\n]*(?:\n|$)|\/\*(?!M?!)[\s\S]*?\*\/)*/;
export const DEFINER: RegExp = /DEFINER\s*=\s*`((?:[^`]|``)*)`(?:@`((?:[^`]|``)*)`)?/;

const KINDS: readonly (readonly [RegExp, StatementKind])[] = [
  [new RegExp(`^INSERT (?:IGNORE )?INTO ${NAME}`), 'rows'],
  [/^(?:INSERT|REPLACE) /, 'rows'],
  [/^SET /, 'session'],
  [new RegExp(`^CREATE (?:OR REPLACE )?TABLE (?:IF NOT EXISTS )?${NAME}`), 'table'],
  [new RegExp(`^DROP TABLE (?:IF EXISTS )?${NAME}`), 'drop-table'],
  [new RegExp(`^ALTER TABLE ${NAME} (?:DISABLE|ENABLE) KEYS`), 'keys'],
  [/^(?:UN)?LOCK TABLES/, 'lock'],
  [/^DELIMITER/i, 'delimiter'],
  [new RegExp(`^(?:CREATE SEQUENCE|DROP SEQUENCE IF EXISTS) ${NAME}`), 'sequence'],
  [new RegExp(`^(?:DO|SELECT) SETVAL\\(${NAME}`), 'sequence'],
  [new RegExp(`^CREATE VIEW ${NAME} AS SELECT`), 'view-stand-in'],
  [
    new RegExp(`^CREATE (?:OR REPLACE )?(?:ALGORITHM=\\w+ )?(?:DEFINER=\\S+ )?(?:SQL SECURITY \\w+ )?VIEW ${NAME}`),
    'view',
  ],
  [
    new RegExp(
      `^CREATE (?:OR REPLACE )?(?:DEFINER=\\S+ )?TRIGGER (?:IF NOT EXISTS )?(?:${TYPED} ?\\. ?)?(${TYPED}) `,
      'i',
    ),
    'trigger',
  ],
  [new RegExp(`^CREATE (?:OR REPLACE )?(?:DEFINER=\\S+ )?EVENT ${NAME}`), 'event'],
  [
    new RegExp(
      `^CREATE (?:OR REPLACE )?(?:DEFINER=\\S+ )?(?:AGGREGATE )?(?:PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|LIBRARY) ${NAME}`,
    ),
    'routine',
  ],
  [
    new RegExp(`^DROP (?:VIEW|TRIGGER|EVENT|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|LIBRARY) (?:IF EXISTS )?${NAME}`),
    'drop',
  ],
  [/^ALTER DATABASE /, 'alter-database'],
  [/^(?:USE|CREATE DATABASE|CREATE SCHEMA|DROP DATABASE|DROP SCHEMA) /i, 'other-database'],
];

/** Tells what a statement is. Names of more than one part are of another database. */
export function describeStatement(text: Buffer): Statement {
  const raw = text.toString('utf8', 0, Math.min(text.length, HEAD_BYTES));
  const lead = LEAD.exec(raw)?.[0].length ?? 0;
  const from = lead < HEAD_BYTES - 1024 ? raw.slice(lead) : withoutLead(text);
  if (from.startsWith('/*M!999999')) return { kind: 'sandbox', name: '', of: '', definer: null };
  const [, user, host = ''] = DEFINER.exec(from.slice(0, 1024)) ?? [];
  const definer = user === undefined ? null : accountName(unquoted(user), unquoted(host));
  const words = from
    .replace(DEFINER, 'DEFINER=x')
    .replaceAll(/\/\*M?!\d{5,6}|\*\//g, ' ')
    .trimStart()
    .replaceAll(/\s+/g, ' ');
  for (const [pattern, kind] of KINDS) {
    const found = pattern.exec(words);
    if (found === null) continue;
    const rest = words.slice(found[0].length);
    if (found[1] !== undefined && /^ ?\. ?`/.test(rest)) return { kind: 'other-database', name: '', of: '', definer };
    const name = found[1] === undefined ? '' : nameIn(from, bare(found[1], kind));
    return { kind, name, of: ofWhat(found[0]), definer: isDefined(kind) ? definer : null };
  }
  return { kind: 'other', name: '', of: '', definer };
}

/** As `user@host`; a role has no host. */
export const accountName = (user: string, host: string): string => (host === '' ? user : `${user}@${host}`);

const isDefined = (kind: StatementKind): boolean =>
  kind === 'view' || kind === 'trigger' || kind === 'event' || kind === 'routine';

/** Blanks in a name count, though those between words do not. */
function nameIn(from: string, name: string): string {
  if (!name.includes(' ')) return name;
  for (const [, quoted = ''] of from.matchAll(/`((?:[^`]|``)*)`/g))
    if (unquoted(quoted).replaceAll(/\s+/g, ' ') === name) return unquoted(quoted);
  return name;
}

const ofWhat = (head: string): string =>
  /\b(VIEW|TRIGGER|EVENT|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|LIBRARY)\b/.exec(head)?.[1]?.toLowerCase() ?? '';

function withoutLead(text: Buffer): string {
  const all = text.toString('utf8');
  const start = LEAD.exec(all)?.[0].length ?? 0;
  return all.slice(start, start + HEAD_BYTES);
}

const bare = (name: string, kind: StatementKind): string =>
  kind === 'trigger' && name.startsWith('`') ? unquoted(name.slice(1, -1)) : unquoted(name);

const unquoted = (name: string): string => name.replaceAll('``', '`');
