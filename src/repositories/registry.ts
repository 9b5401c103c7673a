import type { RepositoryConfig } from '../generated/policy.ts';
import { openDirectoryRepository } from './directory.ts';
import type { Repository, RepositoryEdge } from './repository.ts';
import { openS3Repository } from './s3.ts';

type ConfigOf<K extends RepositoryConfig['type']> = Extract<RepositoryConfig, { type: K }>;
type Openers = { readonly [K in RepositoryConfig['type']]: (config: ConfigOf<K>, edge: RepositoryEdge) => Repository };

/** Every kind of repository, by the `type` of the policy. */
export const REPOSITORIES: Openers = {
  directory: openDirectoryRepository,
  s3: openS3Repository,
};

/** Opens a repository for use; references in its configuration are resolved already. Nothing is read or written yet. */
export function openRepository(config: RepositoryConfig, edge: RepositoryEdge): Repository {
  const open = REPOSITORIES[config.type] as (config: RepositoryConfig, edge: RepositoryEdge) => Repository;
  return open(config, edge);
}
