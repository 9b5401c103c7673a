import type { Session } from './connection.ts';

/** What the session's user may do with a database. */
export interface Rights {
  readonly user: string;
  readonly isSuperuser: boolean;
  /** Makes databases, and renames its own. */
  readonly mayCreate: boolean;
  /** Owns the database, by itself or as a member of the owner; true where there is none. */
  readonly isOwner: boolean;
}

export async function readRights(session: Session, database: string): Promise<Rights> {
  const [row] = await session.query<Rights>(
    `SELECT rolname::text AS user, rolsuper AS "isSuperuser", rolsuper OR rolcreatedb AS "mayCreate",
       coalesce((SELECT pg_catalog.pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database WHERE datname = $1), true) AS "isOwner"
     FROM pg_catalog.pg_roles WHERE rolname = current_user`,
    [database],
  );
  if (row === undefined) throw new Error('a session without a user');
  return row;
}

/** A replacement is built beside a database, which then changes its name; else it is made where the database stands. */
export const maySetAside = ({ mayCreate, isOwner }: Rights): boolean => mayCreate && isOwner;
