import type { Reply, Session } from './session.ts';

/** What the server tells about itself, by the names it uses. */
export interface ServerInfo {
  readonly fields: ReadonlyMap<string, string>;
  /** `7.0.15`, `valkey 8.1.1`. */
  readonly version: string;
  /** By number of the database. */
  readonly keys: Readonly<Record<string, number>>;
  readonly expiring: Readonly<Record<string, number>>;
}

/** Asks the server about itself: its keys are counted there and need no reading. */
export async function readInfo(session: Session): Promise<ServerInfo> {
  const text = String(await session.command('INFO'));
  const pairs = text.split(/\r?\n/).flatMap((line): readonly [string, string][] => {
    const at = line.indexOf(':');
    return at < 0 || line.startsWith('#') ? [] : [[line.slice(0, at), line.slice(at + 1)]];
  });
  const fields = new Map(pairs);
  const valkey = fields.get('valkey_version');
  const counts = (name: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      pairs.flatMap(([key, value]) => {
        const count = Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(value)?.[1] ?? 0);
        const database = /^db(\d+)$/.exec(key)?.[1];
        return database === undefined || count === 0 ? [] : [[database, count] as const];
      }),
    );
  return {
    fields,
    version: valkey === undefined ? (fields.get('redis_version') ?? 'unknown') : `valkey ${valkey}`,
    keys: counts('keys'),
    expiring: counts('expires'),
  };
}

/** The names of the libraries of functions; none where the server is older than they are. */
export async function listLibraries(session: Session): Promise<readonly string[]> {
  const reply = await session.command('FUNCTION', 'LIST').catch((error: unknown): Reply => {
    if (error instanceof Error && /unknown command/i.test(error.message)) return [];
    throw error;
  });
  return listOf(reply).map((library) => {
    const fields = listOf(library);
    return String(fields[fields.indexOf('library_name') + 1]);
  });
}

const listOf = (reply: Reply): readonly Reply[] => (typeof reply === 'object' && reply !== null ? reply : []);

/** All counts of a record together. */
export const sumOf = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
