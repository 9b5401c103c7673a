/** Collections of bkp itself, inside the database that they belong to: no server renames a collection into another one. */
const [NEW, OLD] = ['bkp-new-', 'bkp-old-'];

/** Where a restore says what it is about to exchange, so that the next one can finish it. */
export const JOURNAL = 'bkp-journal';

/** Where it stands who restores into a database. */
export const LOCK = 'bkp-lock';

/** For mongodump: what begins like this is left out. */
export const OWN_PREFIXES: readonly string[] = [NEW, OLD, JOURNAL, LOCK];

export const isOwnName = (collection: string): boolean => OWN_PREFIXES.some((prefix) => collection.startsWith(prefix));

/** True for a collection that a restore built and did not bring into its place. */
export const isUnfinishedName = (collection: string): boolean => collection.startsWith(NEW);

/** Before the names of collections that are being built; no two restores share it. */
export const newPrefix = (snapshot: string, unique: string): string => `${NEW}${snapshot.slice(-8)}${unique}-`;

/** Before the names of collections that are set aside. */
export const oldPrefix = (snapshot: string, number: number): string =>
  `${OLD}${snapshot}${number === 1 ? '' : `~${number}`}-`;

/** What a restore set aside, as it is written down: `shop/bkp-old-20261119T020000Z-k3x9q2aa`. */
export const asideReference = (database: string, prefix: string): string => `${database}/${prefix.slice(0, -1)}`;

/** The database and the prefix of a reference; null for one that no restore made. */
export function readReference(reference: string): { readonly database: string; readonly prefix: string } | null {
  const found = /^([^/]+)\/(bkp-old-\d{8}T\d{6}Z-[a-z0-9]+(?:~\d+)?)$/s.exec(reference);
  return found === null ? null : { database: found[1] ?? '', prefix: `${found[2] ?? ''}-` };
}

/** A server takes no longer ones, in bytes, with the name of the database. */
export const LONGEST_NAMESPACE = 255;
