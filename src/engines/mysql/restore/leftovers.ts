import type { Session } from '../server/connection.ts';
import { dropDatabase, emptyDatabase, endSessions } from '../server/drop-objects.ts';
import { readContents } from '../server/contents.ts';
import { isNewName, newNameOf } from '../server/names.ts';
import { readMark } from './mark.ts';
import { undoSwap } from './swap.ts';
import { bringTriggersBack, dropMade } from '../merge/triggers-off.ts';

/** Finishes or undoes what restores into this destination left when they died. Call it with the destination locked. */
export async function settleLeftovers(admin: Session, database: string): Promise<void> {
  const own = await readMark(admin, database);
  if (own !== null && (own === 'unwritten' || own.step === 'fill')) {
    await endSessions(admin, database);
    if (own !== 'unwritten' && own.drops === 'objects') await emptyDatabase(admin, database);
    else await dropDatabase(admin, database);
  }
  const rows = await admin.query<{ readonly name: string }>(
    'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA',
  );
  for (const { name } of rows) {
    if (!isNewName(name)) continue;
    const mark = await readMark(admin, name);
    if (mark === null || mark === 'unwritten') {
      // Killed between making and marking it.
      const contents = await readContents(admin, name);
      if (newNameOf(name, database) && contents?.objects === 0) await dropDatabase(admin, name);
      continue;
    }
    if (mark.destination !== database) continue;
    await endSessions(admin, name);
    if (mark.step === 'swap') await undoSwap(admin, { side: name, database, ...mark });
    if (mark.step === 'triggers-off') {
      await bringTriggersBack(admin, database, mark);
      await dropMade(admin, database, mark.made);
    }
    await dropDatabase(admin, name);
  }
}
