import type { Context } from '../../../context.ts';
import type { MysqlTarget } from '../server/connection.ts';
import { dropDatabase } from '../server/drop-objects.ts';
import { connectPatiently, steady } from '../server/patient-session.ts';
import { readMark } from './mark.ts';

/** Drops the database that a restore was built in, also after an abort; what cannot be dropped now goes with the next restore. */
export async function dropSide(destination: MysqlTarget, side: string, context: Context): Promise<void> {
  try {
    const session = await connectPatiently(destination, steady(context), null);
    try {
      const mark = await readMark(session, side);
      // What could not be put back is in it: the next restore tries again.
      if (mark === null || mark === 'unwritten' || (mark.step !== 'swap' && mark.step !== 'triggers-off'))
        await dropDatabase(session, side);
    } finally {
      await session.close();
    }
  } catch {
    context.emit({ type: 'warning', message: `database ${side} could not be dropped; the next restore drops it` });
  }
}
