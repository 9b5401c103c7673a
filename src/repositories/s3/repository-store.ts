import type { Clock } from '../../context.ts';
import type { S3Repository } from '../../generated/policy.ts';
import { OF_REPOSITORY } from '../../s3/owner.ts';
import { createStore, type Store, type StoreOptions } from '../../s3/store.ts';
import { checkKey } from '../key.ts';

/** The bucket of a repository, with what its policy asks of it. */
export interface RepositoryStore extends Store {
  readonly config: S3Repository;
}

/** Throws `repository` where the prefix cannot stand before keys. */
export function createRepositoryStore(config: S3Repository, clock: Clock, options?: StoreOptions): RepositoryStore {
  const store = createStore(config, OF_REPOSITORY, clock, options);
  if (store.prefix !== '') checkKey(store.prefix.slice(0, -1));
  return { ...store, config };
}
