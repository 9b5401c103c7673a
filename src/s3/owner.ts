import { type BkpError, type ErrorDetails, repositoryError, targetError } from '../errors.ts';

/** What a bucket is for: the words and the class of what goes wrong with it. */
export interface Owner {
  readonly noun: string;
  readonly error: (message: string, details?: ErrorDetails) => BkpError;
}

export const OF_REPOSITORY: Owner = { noun: 'the repository', error: repositoryError };
export const OF_TARGET: Owner = { noun: 'the bucket', error: targetError };
