import { repositoryError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';

/**
 * Proves that a repository can be written and that its exclusive create is one: writes a small object that belongs to
 * nothing, tries to create it again, and removes it. Throws a `repository` error that says what does not work.
 */
export async function probeExclusiveCreate(repository: Repository, name: string): Promise<void> {
  const key = `probes/${name}`;
  const content = Buffer.from(name);
  const created = await repository.create(key, content);
  try {
    const again = await repository.create(key, content);
    const back = await repository.read(key);
    if (!created || (again && repository.capabilities.exclusiveCreate)) {
      throw repositoryError(
        `cannot use ${repository.location}: of two writers of one key both are told they were first`,
        { hint: 'set `singleWriter: true` and let one runner only write here' },
      );
    }
    if (!back.equals(content))
      throw repositoryError(`cannot use ${repository.location}: it gives back other bytes than were written`);
  } finally {
    await repository.remove(key);
  }
}
