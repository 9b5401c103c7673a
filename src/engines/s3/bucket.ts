import type { Context } from '../../context.ts';
import { OF_TARGET } from '../../s3/owner.ts';
import { createStore, type Store } from '../../s3/store.ts';
import type { TargetOf } from '../engine.ts';

export type S3Target = TargetOf<'s3'>;

/** The bucket of a target; nothing is asked of it yet. Throws `target` for settings that cannot be. */
export const openBucket = (target: S3Target, context: Pick<Context, 'clock'>): Store =>
  createStore(target, OF_TARGET, context.clock);

/** Objects that bkp itself puts into a bucket for a while: never captured, never counted. */
export const isOwnObject = (name: string): boolean => name.startsWith('.bkp-');

/** Stands in a bucket while a restore into an empty place is under way. */
export const RESTORING = '.bkp-restoring';
