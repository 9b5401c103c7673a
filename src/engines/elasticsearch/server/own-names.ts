import { createHash } from 'node:crypto';

const MOST_BYTES = 255;

/** A name with something before it. Servers take 255 bytes: a longer one keeps its beginning and a digest of all of it. */
function prefixed(prefix: string, name: string): string {
  if (Buffer.byteLength(prefix + name) <= MOST_BYTES) return prefix + name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  let kept = Array.from(name);
  while (Buffer.byteLength(`${prefix}${kept.join('')}_${digest}`) > MOST_BYTES) kept = kept.slice(0, -1);
  return `${prefix}${kept.join('')}_${digest}`;
}

/** Where an index is built before it takes its place. */
export const newName = (index: string): string => prefixed('bkp_new_', index);

/** Where the old index goes; names of indices have no capital letters. */
export const oldName = (index: string, snapshot: string, number: number): string =>
  prefixed(`bkp_old_${snapshot.toLowerCase()}${number === 1 ? '' : `.${number}`}_`, index);

/** True for the name of an index that was set aside. */
export const isOldName = (name: string): boolean => /^bkp_old_[0-9]{8}t[0-9]{6}z-[a-z0-9]+(?:\.\d+)?_./.test(name);

/** The alias of every index that a restore has not finished; it goes from all of them at once, at the end. */
export const UNFINISHED = 'bkp_unfinished';
