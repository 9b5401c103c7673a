import type { CatalogPart } from './catalog-part.ts';
import type { MarkRecord } from './inventory.ts';
import { parseMarkKey } from './keys.ts';
import type { ManifestRecord } from './manifest-codec.ts';
import { parseRunRecord, writeRunRecord } from './run-codec.ts';

/** Who signed it is told by the index. */
const NOWHERE = { repositoryId: '', key: '' };

/** True for what may be planned with: written by others, everything in it is what its name says. */
export function isSoundPart(backup: string, { manifests, marks, runs, released }: CatalogPart): boolean {
  const isText = (value: unknown): boolean => typeof value === 'string';
  return (
    [...manifests].every(
      ([id, { version, digest, record }]) => isText(version) && isText(digest) && isSound(id, record),
    ) &&
    [...marks].every(([key, { version, record }]) => isText(version) && isMark(backup, key, record)) &&
    [...runs].every(
      ([id, { version, record }]) =>
        isText(version) && parseRunRecord(writeRunRecord(record), { backup, id }, NOWHERE).ok,
    ) &&
    [...released].every(([key, version]) => isText(key) && isText(version))
  );
}

function isSound(id: string, record: ManifestRecord): boolean {
  const texts = [record.policy, record.definitionSha256, record.startedAt, record.finishedAt, record.tick ?? ''];
  return (
    texts.every((text) => typeof text === 'string') &&
    record.id === id &&
    // `makeId` writes the time of the id; what else begins like it does not matter to any rule.
    id.startsWith(record.startedAt.slice(0, 19).replaceAll(/[-:]/g, '')) &&
    ['backup', 'adopted', 'safety'].includes(record.kind) &&
    ['created', 'partial'].includes(record.status) &&
    typeof record.protect === 'boolean' &&
    Number.isSafeInteger(record.sizeBytes) &&
    Number.isSafeInteger(record.storedBytes) &&
    Object.values(record.targets).every((how) => how === 'captured' || how === 'failed') &&
    (record.recipients ?? []).every((key) => typeof key === 'string') &&
    (record.references ?? []).every(({ target, store, name, id: its }) =>
      [target, store, name, its].every((text) => typeof text === 'string'),
    )
  );
}

function isMark(backup: string, key: string, { kind, at, data }: MarkRecord): boolean {
  const name = parseMarkKey(key);
  return name?.backup === backup && name.kind === kind && name.at === at && typeof data === 'object' && data !== null;
}
