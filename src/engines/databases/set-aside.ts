import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { FoundAside } from '../engine.ts';
import type { DatabasesConfig } from './parts.ts';

/** How an engine reaches databases that its replacements set aside. */
export interface AsideDatabases<C extends DatabasesConfig, S extends { close(): Promise<void> }> {
  /** To the server, and to none of its databases that may be dropped. */
  connect(destination: C, context: Context): Promise<S>;
  exists(session: S, name: string): Promise<boolean>;
  /** One that is gone is no failure. */
  drop(session: S, name: string): Promise<void>;
  /** True for names that only a replacement gives. */
  isOldName(name: string): boolean;
  quote(name: string): string;
}

/** True while the database that a replacement set aside is on the server. */
export const asideExists = <C extends DatabasesConfig, S extends { close(): Promise<void> }>(
  old: FoundAside<C>,
  databases: AsideDatabases<C, S>,
  context: Context,
): Promise<boolean> => onServerOf(old, databases, (session) => databases.exists(session, old.reference), context);

/** Drops a database that a replacement set aside; one that is gone is no failure. Refuses other names. */
export async function removeAside<C extends DatabasesConfig, S extends { close(): Promise<void> }>(
  old: FoundAside<C>,
  databases: AsideDatabases<C, S>,
  context: Context,
): Promise<void> {
  if (!databases.isOldName(old.reference) || old.reference === old.destination?.database)
    throw targetError(
      `cannot remove database ${old.reference}: it is not the name of an old database that was set aside`,
    );
  await onServerOf(old, databases, (session) => databases.drop(session, old.reference), context);
}

async function onServerOf<C extends DatabasesConfig, S extends { close(): Promise<void> }, T>(
  { reference, destination }: FoundAside<C>,
  databases: AsideDatabases<C, S>,
  use: (session: S) => Promise<T>,
  context: Context,
): Promise<T> {
  if (destination === undefined)
    throw targetError(`cannot look for database ${reference}: its server is not known any more`, {
      hint: `drop it by hand: DROP DATABASE ${databases.quote(reference)}`,
    });
  const session = await databases.connect(destination, context);
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}
