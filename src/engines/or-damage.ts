import type { Context } from '../context.ts';
import { BkpError } from '../errors.ts';

/**
 * Does something with a stored artifact. Where that fails, all of it is read once more: if it is damaged, that is the
 * reason, whatever the programs said that stumbled over it. Other troubles of the reading are none of its own.
 */
export async function orDamage<T>(
  readWhole: () => Promise<unknown>,
  context: Context,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isSuspect = error instanceof BkpError && (error.code === 'target' || error.code === 'tool');
    if (isSuspect && !context.signal.aborted)
      await readWhole().catch((damage: unknown) => {
        if (damage instanceof BkpError && damage.code === 'integrity') throw damage;
      });
    throw error;
  }
}
