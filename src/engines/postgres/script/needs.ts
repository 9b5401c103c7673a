import type { Section } from './sections.ts';
import { unquoteIdentifier } from '../server/quote.ts';

/** What a server must have before an archive can go in. */
export interface Needs {
  /** Roles that own something, in order of appearance. */
  readonly owners: ReadonlySet<string>;
  /** Roles that are granted something, or that something is made for. */
  readonly grantees: ReadonlySet<string>;
  readonly extensions: ReadonlySet<string>;
  readonly tablespaces: ReadonlySet<string>;
  /** Collations of the system. */
  readonly collations: ReadonlySet<string>;
  /** The same of the database itself. */
  readonly database: {
    readonly owners: readonly string[];
    readonly grantees: readonly string[];
    readonly tablespaces: readonly string[];
  };
}

/** Statements in which roles are named, and where. */
const IDENTIFIER = String.raw`(?:"(?:[^"]|"")+"|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)`;
const LIST = `${IDENTIFIER}(?:, ${IDENTIFIER})*`;
const ROLES_BY_TYPE: Readonly<Record<string, RegExp>> = {
  ACL: new RegExp(
    `^(?:GRANT .* TO|REVOKE .* FROM|SET SESSION AUTHORIZATION) (${IDENTIFIER})(?: WITH GRANT OPTION)?(?: GRANTED BY ${IDENTIFIER})?;$`,
    'gm',
  ),
  'DEFAULT ACL': new RegExp(
    `^ALTER DEFAULT PRIVILEGES FOR ROLE (${IDENTIFIER}) .*(?:TO|FROM) (${IDENTIFIER}|PUBLIC)(?: WITH GRANT OPTION)?;$`,
    'gm',
  ),
  POLICY: new RegExp(`^CREATE POLICY .*? TO (${LIST})(?: USING| WITH CHECK|;$)`, 'gm'),
  'USER MAPPING': new RegExp(`^CREATE USER MAPPING FOR (${IDENTIFIER}) SERVER`, 'gm'),
  'DATABASE PROPERTIES': new RegExp(`^ALTER ROLE (${IDENTIFIER}) IN DATABASE `, 'gm'),
};
const COLLATION = /COLLATE pg_catalog\.("(?:[^"]|"")+"|\w+)/g;
const HAS_COLLATIONS = new Set(['TABLE', 'DOMAIN', 'TYPE', 'INDEX', 'FOREIGN TABLE', 'CONSTRAINT']);
const TABLESPACE = new RegExp(String.raw`^CREATE DATABASE .* TABLESPACE = (${IDENTIFIER})`, 'm');
/** They name everybody, or whoever connects. */
const NOBODY = new Set(['', 'public', 'PUBLIC', 'CURRENT_USER', 'SESSION_USER']);

/** Takes the sections of an archive one by one. */
export function collectNeeds(): {
  readonly add: (section: Section) => void;
  /** The first section is the one that makes the database. */
  readonly needs: (ofDatabase: readonly Section[]) => Needs;
} {
  const owners = new Set<string>();
  const grantees = new Set<string>();
  const extensions = new Set<string>();
  const tablespaces = new Set<string>();
  const collations = new Set<string>();
  return {
    add(section) {
      const { type, name, owner, tablespace, sql } = section;
      if (!NOBODY.has(owner) && sql.includes(' OWNER TO ')) owners.add(owner);
      for (const role of rolesIn(section)) grantees.add(role);
      if (type === 'EXTENSION') extensions.add(name);
      if (tablespace !== '') tablespaces.add(tablespace);
      if (!HAS_COLLATIONS.has(type)) return;
      for (const [, collation = ''] of sql.matchAll(COLLATION)) collations.add(unquoteIdentifier(collation));
    },
    needs: (ofDatabase) => ({
      owners,
      grantees,
      extensions,
      tablespaces,
      collations,
      database: {
        owners: ofDatabase
          .slice(0, 1)
          .map(({ owner }) => owner)
          .filter(isRole),
        grantees: ofDatabase.flatMap(rolesIn),
        tablespaces: ofDatabase.map(({ sql }) => unquoteIdentifier(TABLESPACE.exec(sql)?.[1] ?? '')).filter(Boolean),
      },
    }),
  };
}

const isRole = (name: string): boolean => !NOBODY.has(name);

/** Roles that a section names beside its owner. */
export function rolesIn({ type, sql }: Pick<Section, 'type' | 'sql'>): readonly string[] {
  const pattern = ROLES_BY_TYPE[type];
  if (pattern === undefined) return [];
  const lists = [...sql.matchAll(pattern)].flatMap((match) => match.slice(1));
  return lists
    .flatMap((list) => [...list.matchAll(new RegExp(IDENTIFIER, 'g'))].map(([name]) => unquoteIdentifier(name)))
    .filter(isRole);
}
