import { rm } from 'node:fs/promises';
import type { Context } from '../../../context.ts';
import { BkpError, targetError } from '../../../errors.ts';
import type { Arrival, DestinationState } from '../../engine.ts';
import type { RedisTarget } from '../server/connection.ts';
import { assertStopped } from './assert-stopped.ts';
import { describeFolder, openDataFolder } from './data-folder.ts';

const OLD = /^\/.*\.bkp-old-\d{8}T\d{6}Z-[a-z0-9]+(?:\.\d+)?$/;

/** Looks at the folder that a restore with `method: file` would write. */
export async function inspectDataFolder(
  target: RedisTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  const problems = [];
  if (coming?.mode === 'merge')
    problems.push({ message: 'keys are merged into a running server only', hint: 'leave `method` out' });
  try {
    await assertStopped(target, context);
    const folder = await openDataFolder(target);
    return { state: folder.isOccupied ? 'occupied' : 'empty', description: describeFolder(folder), problems };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return { state: 'unsuitable', description: 'not usable', problems: [{ message: error.message, hint: error.hint }] };
  }
}

/** Removes files that a restore set aside; gone ones are no failure. Refuses other names. */
export async function removeOldFiles(reference: string): Promise<void> {
  if (!OLD.test(reference))
    throw targetError(`cannot remove ${reference}: it is not the name of something that a restore of redis set aside`);
  await rm(reference, { recursive: true, force: true });
}
