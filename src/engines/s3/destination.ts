import type { Context } from '../../context.ts';
import { throwIfAborted } from '../../errors.ts';
import { requestListing } from '../../s3/request-listing.ts';
import { asProblem } from '../as-problem.ts';
import type { DestinationState } from '../engine.ts';
import { isOwnObject, openBucket, type S3Target } from './bucket.ts';

/** What stands where objects would go, by the first answer to a listing. */
export async function inspectBucket(target: S3Target, context: Context): Promise<DestinationState> {
  try {
    const store = openBucket(target, context);
    const { listed, next } = await requestListing(store, { prefix: '' });
    const names = listed.map(({ key }) => key.slice(store.prefix.length)).filter((name) => name !== '');
    const count = names.filter((name) => !isOwnObject(name)).length;
    if (count === 0) return { state: 'empty', description: 'no object', problems: [] };
    const isInterrupted = count < names.length;
    const parts = [
      `${next === undefined ? '' : 'more than '}${count.toLocaleString('en')} ${count === 1 ? 'object' : 'objects'}`,
    ];
    if (isInterrupted) parts.push('left by an interrupted restore');
    return {
      state: isInterrupted ? 'empty' : 'occupied',
      description: parts.join(', '),
      problems: [],
      replacedInPlace: true,
    };
  } catch (error) {
    throwIfAborted(context.signal);
    return { state: 'absent', description: 'not to be seen', problems: [asProblem(error)] };
  }
}
