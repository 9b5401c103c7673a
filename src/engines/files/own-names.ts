import { type ByteName, folderOf, joinNames, lastPart, toText } from './byte-name.ts';

/** What bkp puts beside a destination while and after it restores; captures leave all of it out. */
export type OwnKind = 'new' | 'old' | 'swap';

const ID = '\\d{8}T\\d{6}Z-[a-z0-9]{8}';
const OWN = new RegExp(`^\\..+\\.bkp-(?:new|old|swap)-${ID}(?:-\\d+)?$`, 's');
const OLD = new RegExp(`^\\..+\\.bkp-old-${ID}(?:-\\d+)?$`, 's');
const MOST_NAME_BYTES = 180;

/** The name without its number: `/srv/.app.bkp-old-20261119T020000Z-k3x9q2aa` for `/srv/app`. */
export function ownPath(folder: ByteName, of: ByteName, kind: OwnKind, snapshot: string): ByteName {
  const name = lastPart(of) === '' ? 'root' : lastPart(of);
  const short = name.length <= MOST_NAME_BYTES ? name : cutName(name);
  return joinNames(folder, `.${short}.bkp-${kind}-${snapshot}`);
}

/** True for a name (not a path) that bkp made. */
export const isOwnName = (name: ByteName): boolean => OWN.test(name);

/** True for a path whose last part says that bkp set it aside. */
export const isSetAsidePath = (path: ByteName): boolean => path.startsWith('/') && OLD.test(lastPart(path));

/** True for a path that is something of bkp's or lies in it. */
export function isInsideOwn(path: ByteName): boolean {
  for (let at = path; at !== '' && at !== '/'; at = folderOf(at)) if (isOwnName(lastPart(at))) return true;
  return false;
}

/** The same names as patterns of GNU tar. */
export function ownNamePatterns(): readonly string[] {
  const digits = (count: number): string => '[0-9]'.repeat(count);
  const id = `${digits(8)}T${digits(6)}Z-${'[a-z0-9]'.repeat(8)}`;
  return ['new', 'old', 'swap'].flatMap((kind) => [`.?*.bkp-${kind}-${id}`, `.?*.bkp-${kind}-${id}-[0-9]*`]);
}

/** Names are at most 255 bytes; a UTF-8 character is not cut. */
function cutName(name: ByteName): ByteName {
  let end = MOST_NAME_BYTES;
  if (toText(name) !== null) while ((name.charCodeAt(end) & 0xc0) === 0x80) end--;
  return name.slice(0, end);
}
