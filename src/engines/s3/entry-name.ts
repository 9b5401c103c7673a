/** Below it stand objects whose keys cannot be names of files beside the others. */
const ENCODED = '.bkp-encoded';
/** The metadata of all objects, the last entry of an archive. */
export const METADATA = '.bkp-objects.ndjson';

const MOST_NAME_BYTES = 255;
const CHUNK = 200;

/**
 * Names for the entries of an archive, whose keys are asked for in the order of the store. A key is its own name wherever
 * tar can put it on a disk beside the others; `a` with `a/b`, `../x`, `/x`, `x//y` and the like are percent-encoded.
 */
export function createEntryNames(): (key: string) => string {
  // Those before that the next key may lie below, each the beginning of the one after it.
  let above: string[] = [];
  return (key) => {
    above = above.filter((earlier) => key.startsWith(earlier));
    const isBelow = above.some((earlier) => key.startsWith(`${earlier}/`));
    above.push(key);
    return isBelow || !isPlain(key) ? encoded(key) : key;
  };
}

function isPlain(key: string): boolean {
  // Control characters are names on some disks only.
  if (/[\p{Cc}\\]/u.test(key)) return false;
  const segments = key.split('/');
  if (segments[0] === ENCODED || key === METADATA) return false;
  return segments.every(
    (name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= MOST_NAME_BYTES,
  );
}

/** In pieces that are names of files: those before the last end in a way that no last one does. */
function encoded(key: string): string {
  const text = Buffer.from(key)
    .toString('latin1')
    .replaceAll(/[^\w-]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
  const pieces = text.match(new RegExp(`.{1,${CHUNK}}`, 'g')) ?? [];
  return [ENCODED, ...pieces.slice(0, -1).map((piece) => `${piece}~`), pieces.at(-1) ?? ''].join('/');
}
