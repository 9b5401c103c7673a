import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import { BKP_VERSION } from '../version.ts';
import { parseDocument, writeDocument, type Parsed } from './document.ts';
import type { Lease } from './held-lease.ts';
import { readIfPresent, repositoryIdentity } from './identity.ts';
import type { MarkRecord } from './inventory.ts';
import { markKey, marksOf, parseMarkKey, type SnapshotName } from './keys.ts';
import { CLEANED, type Mark, type MarkKind } from './manifest.ts';
import { documentSigner, signDocument, type SignedPlace } from './signature.ts';
import { isTrustedMark, type TrustedKeys } from './trust.ts';

export interface MarkRequest extends SnapshotName {
  readonly kind: MarkKind;
  readonly data: Readonly<Record<string, unknown>>;
  /** Name of the policy that decides or learned this. */
  readonly policy: string;
}

/**
 * Remembers something about a snapshot. The mark's time is later than that of every mark the snapshot has, so that of
 * two opposite ones the newer counts even where a clock ran backwards. Give the lease where one is held. Signed where the
 * policy asks for it; throws `guard` where that cannot be done.
 */
export async function addMark(
  repository: Repository,
  { backup, id, kind, data, policy }: MarkRequest,
  lease: Lease | null,
  { clock, host, signing }: Pick<Context, 'clock' | 'host' | 'signing'>,
): Promise<MarkRecord> {
  const signingKey = signing?.key();
  const repositoryId = signingKey === undefined ? '' : await idOf(repository);
  const newest = (await markKeysOf(repository, { backup, id })).at(-1);
  let ms = Math.max(clock.now().getTime(), newest === undefined ? 0 : Date.parse(newest.at) + 1);
  for (;;) {
    const at = new Date(ms);
    const by = { host: host.name, bkp: BKP_VERSION };
    const mark: Mark = { formatVersion: 1, kind, at: at.toISOString(), policy, by, data };
    const key = markKey(backup, id, at, kind);
    const stored = signingKey === undefined ? mark : signDocument(mark, { repositoryId, key }, signingKey);
    await lease?.assertHeld();
    if (await repository.create(key, writeDocument(stored))) return { kind, at: mark.at, data };
    ms += 1;
  }
}

/** A mark as it is stored: its record and the policy that set it, null where only its key could be read. */
export interface StoredMark extends MarkRecord {
  readonly key: string;
  readonly policy: string | null;
}

/** The marks of one snapshot that count, sorted by time. */
export async function readMarks(
  repository: Repository,
  name: SnapshotName,
  trusted: TrustedKeys,
): Promise<readonly StoredMark[]> {
  const marks: StoredMark[] = [];
  const keys = await markKeysOf(repository, name);
  const repositoryId = trusted === null || keys.length === 0 ? '' : await idOf(repository);
  for (const { key } of keys) {
    const mark = await readMark(repository, key, repositoryId);
    if (mark !== undefined && isTrustedMark(mark, trusted)) marks.push(mark);
  }
  return marks;
}

const idOf = async (repository: Repository): Promise<string> => (await repositoryIdentity(repository))?.id ?? '';

/**
 * Reads one mark, and who signed it in the repository of that id. Kind and time are in its key; where its content cannot
 * be read, a mark that warns or guards still counts, one that vouches or frees does not.
 */
export async function readMark(
  repository: Repository,
  key: string,
  repositoryId: string,
): Promise<StoredMark | undefined> {
  const name = parseMarkKey(key);
  if (name === undefined) return undefined;
  const bytes = await readIfPresent(repository, key);
  if (bytes === undefined) return undefined;
  const parsed = parseMark(bytes, { repositoryId, key });
  if (parsed.ok) return { key, kind: name.kind, at: name.at, ...parsed.value };
  const isCautious = name.kind === 'damaged' || name.kind === 'protected' || name.kind === 'released';
  return isCautious ? { key, kind: name.kind, at: name.at, policy: null, data: {} } : undefined;
}

const parseMark = (bytes: Uint8Array, place: SignedPlace): Parsed<Pick<StoredMark, 'policy' | 'data' | 'signedBy'>> =>
  parseDocument(bytes, 1, (fields) => {
    const signedBy = documentSigner(fields.all, place);
    return {
      policy: fields.text('policy'),
      data: fields.object('data').all,
      ...(signedBy === undefined ? {} : { signedBy }),
    };
  });

async function markKeysOf(
  repository: Repository,
  { backup, id }: SnapshotName,
): Promise<readonly { readonly key: string; readonly at: string }[]> {
  return (await repository.list(marksOf(backup), 'shallow'))
    .flatMap((key) => {
      const name = parseMarkKey(key);
      return name?.id === id ? [{ key, at: name.at }] : [];
    })
    .toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/**
 * The marks that are about a manifest with the given keys: what was cleaned away of an earlier try to store the same
 * snapshot, under other keys, does not speak against it.
 */
export const marksAbout = <M extends MarkRecord>(marks: readonly M[], keys: readonly string[]): readonly M[] =>
  marks.filter((mark) => !isCleaned(mark) || releasedKeys([mark]).some((key) => keys.includes(key)));

/** True for what a cleaning left to tell of remains. */
export const isCleaned = ({ kind, data }: MarkRecord): boolean => kind === 'released' && data['reason'] === CLEANED;

/** Keys below the snapshot's folder that `released` marks list. */
export function releasedKeys(marks: readonly MarkRecord[]): readonly string[] {
  return marks.flatMap((mark) => {
    const keys = mark.kind === 'released' ? mark.data['keys'] : undefined;
    return Array.isArray(keys) ? keys.filter((key): key is string => typeof key === 'string') : [];
  });
}
