import { inNameOf, openRightsJudge, type ServerRoles } from '../script/judge-rights.ts';
import type { Session } from '../server/connection.ts';
import type { Unowned } from '../script/unowned.ts';

/** Takes the statements of large objects, line by line: contents, owners, rights, comments. */
export interface LargeObjects {
  take(line: string): Promise<void>;
  /** What the script names. */
  readonly named: ReadonlySet<string>;
  /** What was made. */
  readonly made: ReadonlySet<string>;
}

export interface LargeObjectOptions {
  /** Objects that are there are made anew instead of being left as they are. */
  readonly overwrite: boolean;
  /** Null where owners come back too. */
  readonly unowned: Unowned | null;
}

const CREATE = /^SELECT pg_catalog\.lo_create\('(\d+)'\);$/;
const GIVE_AWAY = /^ALTER LARGE OBJECT (\d+) OWNER TO .*;$/;
const OPEN = /^SELECT pg_catalog\.lo_open\('(\d+)', \d+\);$/;
const WRITE = /^SELECT pg_catalog\.lowrite\(0, '\\{1,2}x([0-9a-f]*)'\);$/;
const RIGHTS = /^(?:GRANT|REVOKE) .* ON LARGE OBJECT (\d+) (?:TO|FROM) .*;$/;
const TEXT = /^(?:COMMENT|SECURITY LABEL .*) ?ON LARGE OBJECT (\d+) IS /;
const ACTS_AS = /^(?:SET|RESET) SESSION AUTHORIZATION\b.*;$/;

const NOBODY: ServerRoles = { roles: new Map(), isSuperuser: false, user: '' };

export function openLargeObjects(session: Session, { overwrite, unowned }: LargeObjectOptions): LargeObjects {
  const named = new Set<string>();
  const made = new Set<string>();
  /** The object that is being written; undefined while one is passed over. */
  let open: { readonly oid: string; offset: number } | undefined;
  /** A comment whose end is to come, on an object that was made or not. */
  let text: { readonly oid: string; readonly lines: string[] } | undefined;
  const judge = openRightsJudge(unowned?.server ?? NOBODY);

  const make = async (oid: string): Promise<void> => {
    if (made.has(oid)) return;
    named.add(oid);
    const unlink = `SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1`;
    if (overwrite) await session.query(unlink, [oid]);
    const sql = `SELECT pg_catalog.lo_create($1) WHERE NOT EXISTS (
      SELECT FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1)`;
    if ((await session.query(sql, [oid])).length > 0) made.add(oid);
  };

  const write = async (hex: string): Promise<void> => {
    if (open === undefined) return;
    await session.query(`SELECT pg_catalog.lo_put($1, $2, pg_catalog.decode($3, 'hex'))`, [open.oid, open.offset, hex]);
    open.offset += hex.length / 2;
  };

  const grant = async (oid: string, line: string): Promise<void> => {
    const reason = judge.whyNot('ACL', line);
    if (!made.has(oid) || (unowned !== null && reason !== null)) return;
    await session.query(inNameOf(judge, line));
  };

  const takeText = async (line: string): Promise<void> => {
    text?.lines.push(line);
    const statement = text?.lines.join('\n') ?? '';
    if (!statement.endsWith("';") || statement.split("'").length % 2 === 0) return;
    const isWanted = text !== undefined && made.has(text.oid);
    text = undefined;
    if (isWanted) await session.query(statement);
  };

  return {
    named,
    made,
    async take(line) {
      if (text !== undefined) return takeText(line);
      const hex = WRITE.exec(line)?.[1];
      if (hex !== undefined) return write(hex);
      const created = CREATE.exec(line)?.[1];
      if (created !== undefined) return make(created);
      const opened = OPEN.exec(line)?.[1];
      if (opened !== undefined) {
        await make(opened);
        open = made.has(opened) ? { oid: opened, offset: 0 } : undefined;
        return;
      }
      const owned = GIVE_AWAY.exec(line)?.[1];
      if (owned !== undefined && unowned === null && made.has(owned)) await session.query(line);
      if (ACTS_AS.test(line)) judge.whyNot('ACL', line);
      const granted = RIGHTS.exec(line)?.[1];
      if (granted !== undefined) return grant(granted, line);
      const described = TEXT.exec(line)?.[1];
      if (described === undefined) return;
      text = { oid: described, lines: [] };
      return takeText(line);
    },
  };
}
