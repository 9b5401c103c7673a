import type { Repository } from '../repositories/repository.ts';
import { readIfPresent } from './identity.ts';

/**
 * Creates a small object exclusively. `created` also where exactly this content is there: the answer to a first try was
 * lost. `taken` where another content is. `refused` where nothing is: some stores do not create anew what was removed
 * once (a delete marker is in its place).
 */
export async function createOwn(
  repository: Pick<Repository, 'create' | 'read'>,
  key: string,
  content: Buffer,
): Promise<'created' | 'taken' | 'refused'> {
  if (await repository.create(key, content)) return 'created';
  const there = await readIfPresent(repository, key);
  if (there === undefined) return 'refused';
  return there.equals(content) ? 'created' : 'taken';
}
