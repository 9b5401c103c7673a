import type { Repository } from '../repositories/repository.ts';
import { readIfPresent } from './identity.ts';
import { timeOfId } from './ids.ts';
import { parseDocumentKey, runKey, RUNS } from './keys.ts';
import { parseRunRecord, writeRunRecord } from './run-codec.ts';
import type { RunRecord } from './run-record.ts';

/** Stores a run record, or its newer state. */
export async function writeRun(repository: Repository, record: RunRecord): Promise<void> {
  await repository.put(runKey(record.backup, record.id), writeRunRecord(record));
}

/** Reads one run record; undefined when it is gone or cannot be read. */
export async function readRun(repository: Repository, key: string): Promise<RunRecord | undefined> {
  const name = parseDocumentKey(key);
  const bytes = name === undefined ? undefined : await readIfPresent(repository, key);
  const parsed = name === undefined || bytes === undefined ? undefined : parseRunRecord(bytes, name);
  return parsed?.ok === true ? parsed.value : undefined;
}

/** Removes run records from before a time that nothing depends on any more; returns how many. */
export async function forgetOldRuns(repository: Repository, backup: string, before: Date): Promise<number> {
  let removed = 0;
  for (const key of await repository.list(`${RUNS}${backup}/`, 'shallow')) {
    const name = parseDocumentKey(key);
    const at = name === undefined ? undefined : timeOfId(name.id);
    if (at === undefined || at >= before) continue;
    const record = await readRun(repository, key);
    if (record === undefined || record.setAside.length > 0 || record.owedHooks.length > 0) continue;
    await repository.remove(key);
    removed++;
  }
  return removed;
}
