import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { FoundAside } from '../../engine.ts';
import { isOldName } from '../server/own-names.ts';
import { withServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { deleteIndex } from './index-steps.ts';
import { isThere } from './swap.ts';

type Old = FoundAside<SearchTarget>;

/** True while the index that a replacement set aside is on the server. */
export const searchAsideExists = (old: Old, context: Context): Promise<boolean> =>
  withServer(destinationOf(old), context, (server) => isThere(server, old.reference));

/** Deletes an index that a replacement set aside; one that is gone is no failure. Refuses other names. */
export async function removeSearchAside(old: Old, context: Context): Promise<void> {
  if (!isOldName(old.reference))
    throw targetError(`cannot remove index ${old.reference}: it is not the name of an old index that was set aside`);
  await withServer(destinationOf(old), context, (server) => deleteIndex(server, old.reference));
}

function destinationOf({ reference, destination }: Old): SearchTarget {
  if (destination !== undefined) return destination;
  throw targetError(`cannot look for index ${reference}: its server is not known any more`, {
    hint: `delete it by hand: DELETE /${reference}`,
  });
}
