import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import { readIfPresent, repositoryIdentity } from './identity.ts';
import { timeOfId } from './ids.ts';
import { parseDocumentKey, runKey, RUNS } from './keys.ts';
import { parseRunRecord, writeRunRecord } from './run-codec.ts';
import type { RunRecord } from './run-record.ts';
import { signDocument } from './signature.ts';

/** Stores a run record, or its newer state; signed where the policy asks for it and the private key is at hand. */
export async function writeRun(
  repository: Repository,
  record: RunRecord,
  { signing }: Pick<Context, 'signing'>,
): Promise<void> {
  const key = runKey(record.backup, record.id);
  const signingKey = signing?.keyIfThere();
  const stored =
    signingKey === undefined
      ? record
      : signDocument(record, { key, repositoryId: (await repositoryIdentity(repository))?.id ?? '' }, signingKey);
  await repository.put(key, writeRunRecord(stored));
}

/** Reads one run record in the repository of that id; undefined when it is gone or cannot be read. */
export async function readRun(
  repository: Repository,
  key: string,
  repositoryId: string,
): Promise<RunRecord | undefined> {
  const name = parseDocumentKey(key);
  const bytes = name === undefined ? undefined : await readIfPresent(repository, key);
  const parsed =
    name === undefined || bytes === undefined ? undefined : parseRunRecord(bytes, name, { repositoryId, key });
  return parsed?.ok === true ? parsed.value : undefined;
}

/** Removes run records from before a time that nothing depends on any more; returns how many. */
export async function forgetOldRuns(repository: Repository, backup: string, before: Date): Promise<number> {
  let removed = 0;
  for (const key of await repository.list(`${RUNS}${backup}/`, 'shallow')) {
    const name = parseDocumentKey(key);
    const at = name === undefined ? undefined : timeOfId(name.id);
    if (at === undefined || at >= before) continue;
    const record = await readRun(repository, key, '');
    if (record === undefined || record.setAside.length > 0 || record.owedHooks.length > 0) continue;
    await repository.remove(key);
    removed++;
  }
  return removed;
}
