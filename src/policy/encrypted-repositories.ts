import type { PolicySet } from './policy-set.ts';

/** Names of the repositories that encrypt what is stored there, unless a backup says otherwise. */
export const encryptedRepositories = ({ repositories }: PolicySet): ReadonlySet<string> =>
  new Set(
    repositories.flatMap(({ name, value }) => ('encryption' in value && value.encryption !== undefined ? [name] : [])),
  );
