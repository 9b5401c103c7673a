import type { Context } from '../../../src/context.ts';
import type { RestoreMode, RestoreOutcome, TargetOf } from '../../../src/engines/engine.ts';
import { testContext } from '../../test-context.ts';
import { redisFixture } from '../redis-fixture.ts';
import { newRepository, restore, take, type Taken } from '../workbench.ts';

/** A capture of a server in a repository of its own. */
export async function takeRedis(
  target: TargetOf<'redis'>,
): Promise<{ readonly taken: Taken; readonly context: Context }> {
  const { context, folder } = await testContext();
  return { taken: await take(redisFixture, target, await newRepository(folder, context), context), context };
}

/** Restores it somewhere. */
export const restoreRedis = (
  taken: Taken,
  destination: TargetOf<'redis'>,
  mode: RestoreMode,
  context: Context,
): Promise<RestoreOutcome> => restore(redisFixture, taken, destination, mode, context);
