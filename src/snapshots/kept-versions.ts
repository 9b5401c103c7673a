import { eachLimited } from '../each-limited.ts';
import { guardError } from '../errors.ts';
import type { ObjectVersion, ObjectVersions } from '../repositories/object-versions.ts';
import type { Repository } from '../repositories/repository.ts';

/** Of the many objects of a folder. */
const AT_ONCE = 16;

/** The versions of a repository where it keeps any; undefined where what is removed is gone. */
export async function keptVersions({ versions }: Repository): Promise<ObjectVersions | undefined> {
  return versions !== undefined && (await versions.keepsVersions()) ? versions : undefined;
}

/** All versions of one key: objects, the newest first, then markers. */
export const versionsOfKey = async (versions: ObjectVersions, key: string): Promise<readonly ObjectVersion[]> =>
  (await versions.list(key)).filter((one) => one.key === key);

/** The version that was written first, whatever came later. */
export const firstVersion = (all: readonly ObjectVersion[]): ObjectVersion | undefined =>
  all.findLast(({ isMarker }) => !isMarker);

/** True where an object stands under its key, and not the note that it was removed. */
export const isThere = (all: readonly ObjectVersion[]): boolean =>
  all.some(({ isNewest, isMarker }) => isNewest && !isMarker);

/** Reads a small object that never changes as it was first written, also where somebody removed it; undefined without versions of it. */
export async function readFirst(repository: Repository, key: string): Promise<Buffer | undefined> {
  const versions = await keptVersions(repository);
  const first = versions && firstVersion(await versionsOfKey(versions, key));
  return first && versions?.read(first.key, first.version);
}

/**
 * Removes an object with all its versions and markers, newest first, so that nothing written later takes the place of
 * the first. Where the credentials may not remove versions, the marker of a removal is enough; throws `guard` where the
 * place locks objects and the store refuses.
 */
export async function removeWhole(repository: Repository, key: string): Promise<void> {
  const versions = await keptVersions(repository);
  if (versions === undefined) return repository.remove(key);
  await removeVersions(repository, versions, key, await versionsOfKey(versions, key));
}

/** The same for everything below a folder, whose key ends with a slash; `assertHeld` is asked again and again. */
export async function removeFolder(
  repository: Repository,
  folder: string,
  assertHeld: () => Promise<void>,
): Promise<void> {
  const versions = await keptVersions(repository);
  if (versions === undefined) {
    // What is removed may hide some of the rest from who lists it.
    while (await removeListed(repository, folder, assertHeld));
    return;
  }
  for await (const page of versions.pages(folder)) {
    await assertHeld();
    await eachLimited([...Map.groupBy(page, ({ key }) => key)], AT_ONCE, ([key, all]) =>
      removeVersions(repository, versions, key, all),
    );
  }
}

/** False where nothing was left to remove. */
async function removeListed(repository: Repository, folder: string, assertHeld: () => Promise<void>): Promise<boolean> {
  let isFound = false;
  for await (const page of repository.pages(folder)) {
    isFound ||= page.length > 0;
    await assertHeld();
    await eachLimited(page, AT_ONCE, (key) => repository.remove(key));
  }
  return isFound;
}

async function removeVersions(
  repository: Repository,
  versions: ObjectVersions,
  key: string,
  all: readonly ObjectVersion[],
): Promise<void> {
  for (const { version } of all) {
    if (await versions.remove(key, version)) continue;
    const { objectLock } = await versions.keeping();
    if (objectLock)
      throw guardError(`cannot remove ${key} from ${repository.location}: the store refuses it`, {
        hint: 'it is locked or held there, or the credentials lack s3:DeleteObjectVersion',
      });
    if (isThere(all)) await repository.remove(key);
    return;
  }
}
