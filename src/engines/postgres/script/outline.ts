import type { Context } from '../../../context.ts';
import type { Facts, FactValue, IncomingArtifact } from '../../engine.ts';
import { readHead } from './head.ts';
import { collectNeeds, type Needs } from './needs.ts';
import { quoteIdentifier, quoteText } from '../server/quote.ts';
import { openSectionParser, type Section } from './sections.ts';

/** What a restore must know of an archive before it touches anything. */
export interface ArchiveOutline {
  readonly needs: Needs;
  /** Statements that make the captured database and give it its owner; empty where the archive does not tell. */
  readonly create: (name: string) => readonly string[];
  /** Statements that give a database the captured settings, rights, limit and comment. */
  readonly properties: (name: string) => readonly string[];
  readonly hasSubscriptions: boolean;
}

/** Types of the sections that say something of the database itself. */
const OF_DATABASE = /^(?:ACL|COMMENT|SECURITY LABEL)$/;

const isOfDatabase = ({ type, name }: Section): boolean =>
  type === 'DATABASE' || type === 'DATABASE PROPERTIES' || (OF_DATABASE.test(type) && name.startsWith('DATABASE '));

/**
 * Reads definitions only: the rows are left alone. A script says nothing of its database; there the facts of the capture
 * tell how it was made.
 */
export async function readOutline(
  artifact: IncomingArtifact,
  program: string,
  context: Context,
  facts: Facts | null = null,
): Promise<ArchiveOutline> {
  const { add, needs } = collectNeeds();
  const ofDatabase: Section[] = [];
  let hasSubscriptions = false;
  const parser = openSectionParser((section) => {
    if (section.type === 'SUBSCRIPTION') hasSubscriptions = true;
    else if (isOfDatabase(section)) ofDatabase.push(section);
    else add(section);
  });
  const process = { argv: [program, '--create', '--schema-only', '--file=-'] } as const;
  await readHead(artifact, process, context, (line) => parser.push(line));
  parser.end();
  const made = ofDatabase.find(({ type }) => type === 'DATABASE');
  const captured = /^CREATE DATABASE ("(?:[^"]|"")+"|\S+) /m.exec(made?.sql ?? '')?.[1] ?? '';
  const forDatabase = (sections: readonly Section[], name: string): readonly string[] =>
    sections.map(({ sql }) => renameDatabase(sql, captured, name)).filter((sql) => sql.trim() !== '');
  return {
    needs:
      made === undefined
        ? ownedBy(textsOf(facts?.['database'])['owner'], needs([]))
        : needs([made, ...ofDatabase.filter((section) => section !== made)]),
    hasSubscriptions,
    create: (name) =>
      made === undefined
        ? createByFacts(facts, name)
        : forDatabase([made], name).flatMap((sql) => sql.split(/(?<=;)\n+(?=ALTER DATABASE )/)),
    properties: (name) =>
      forDatabase(
        ofDatabase.filter((section) => section !== made),
        name,
      ),
  };
}

const ownedBy = (owner: string | undefined, needs: Needs): Needs =>
  owner === undefined ? needs : { ...needs, database: { ...needs.database, owners: [owner] } };

function createByFacts(facts: Facts | null, name: string): readonly string[] {
  const { encoding, collate, ctype, owner, provider, locale, rules } = textsOf(facts?.['database']);
  if (encoding === undefined || collate === undefined || ctype === undefined) return [];
  const options = {
    ENCODING: encoding,
    LC_COLLATE: collate,
    LC_CTYPE: ctype,
    LOCALE_PROVIDER: provider,
    [provider === 'icu' ? 'ICU_LOCALE' : 'BUILTIN_LOCALE']: provider === undefined ? undefined : locale,
    ICU_RULES: rules,
  };
  const given = Object.entries(options).flatMap(([option, value]) =>
    value === undefined ? [] : [`${option} = ${quoteText(value)}`],
  );
  const create = `CREATE DATABASE ${name} TEMPLATE template0 ${given.join(' ')}`;
  return owner === undefined ? [create] : [create, `ALTER DATABASE ${name} OWNER TO ${quoteIdentifier(owner)}`];
}

const textsOf = (fact: FactValue | undefined): Readonly<Record<string, string>> =>
  typeof fact === 'object' && fact !== null
    ? Object.fromEntries(
        Object.entries(fact).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : [])),
      )
    : {};

/** Statements begin at the start of a line; what a comment or a setting says is left as it is. */
function renameDatabase(sql: string, from: string, to: string): string {
  const quoted = from.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  const statement = new RegExp(
    String.raw`^((?:CREATE|ALTER|ALTER ROLE .*? IN|(?:GRANT|REVOKE) .*? ON|COMMENT ON|SECURITY LABEL .*?ON) DATABASE )${quoted}(?= )`,
    'gm',
  );
  return sql.replaceAll(statement, (_, head: string) => head + to);
}
