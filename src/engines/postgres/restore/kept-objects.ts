import type { Session } from '../server/connection.ts';
import type { Section } from '../script/sections.ts';
import { unquoteIdentifier } from '../server/quote.ts';

/** What a user who may do little leaves where it is: extensions and schemas of others. */
export interface KeptObjects {
  readonly extensions: ReadonlySet<string>;
  readonly schemas: ReadonlySet<string>;
}

/** Extensions that the user does not own, and schemas that it does not own or that hold such extensions. */
export async function readKeptObjects(session: Session): Promise<KeptObjects> {
  const extensions = await session.query<{ readonly name: string }>(
    `SELECT extname::text AS name FROM pg_catalog.pg_extension WHERE NOT pg_catalog.pg_has_role(extowner, 'USAGE')`,
  );
  const schemas = await session.query<{ readonly name: string }>(
    `SELECT nspname::text AS name FROM pg_catalog.pg_namespace n WHERE NOT pg_catalog.pg_has_role(nspowner, 'USAGE')
       OR EXISTS (SELECT FROM pg_catalog.pg_extension e
         WHERE e.extnamespace = n.oid AND NOT pg_catalog.pg_has_role(e.extowner, 'USAGE'))`,
  );
  return {
    extensions: new Set(extensions.map(({ name }) => name)),
    schemas: new Set(schemas.map(({ name }) => name)),
  };
}

const DROP = /^DROP (EXTENSION|SCHEMA) IF EXISTS ("(?:[^"]|"")+"|[^\s;]+);?$/;
const COMMENT = /^(EXTENSION|SCHEMA) ("(?:[^"]|"")+"|\S+)$/;

/** True for a statement of `pg_restore --clean` that would drop what is kept. */
export const dropsKept = (statement: string, kept: KeptObjects): boolean => isKept(DROP.exec(statement), kept);

/** True for the definition of something that is kept, or a comment on it. */
export function definesKept({ type, name }: Section, kept: KeptObjects): boolean {
  if (type === 'EXTENSION') return kept.extensions.has(name);
  if (type === 'SCHEMA') return kept.schemas.has(name);
  return type === 'COMMENT' && isKept(COMMENT.exec(name), kept);
}

function isKept(found: RegExpExecArray | null, { extensions, schemas }: KeptObjects): boolean {
  const [, kind, name = ''] = found ?? [];
  const plain = unquoteIdentifier(name);
  return kind === 'EXTENSION' ? extensions.has(plain) : kind === 'SCHEMA' && schemas.has(plain);
}
