import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { type Context } from '../../context.ts';
import { throwIfAborted } from '../../errors.ts';
import { type ByteName, folderOf, joinNames, quoteName } from './byte-name.ts';
import { kindAt, type PlaceKind, type Placement, placeUnits } from './placement.ts';

export interface MissingEntries {
  /** The topmost names that are not there, with all below them. */
  readonly units: readonly Placement[];
  /** Entries that come back. */
  readonly entries: number;
  /** Folders of the archive in whose place something else stands, so that what was in them cannot come back. */
  readonly conflicts: readonly string[];
}

/** Looks which entries of a list are missing at the destination; whatever is there, of any kind, is not. */
export async function findMissing(
  listFile: string,
  roots: readonly ByteName[],
  base: ByteName | null,
  context: Context,
): Promise<MissingEntries> {
  const rootPlacements = new Map(placeUnits(roots, roots, base).map((placement) => [placement.unit, placement]));
  const units = new Map<ByteName, Placement>();
  const blocked = new Map<ByteName, number>();
  const kinds = new Map<ByteName, PlaceKind>();
  let entries = 0;

  /** The state of the folders from a root down to a name: the topmost one that is not a real folder decides. */
  const examine = (name: ByteName, root: Placement): { readonly at: ByteName; readonly kind: PlaceKind } => {
    const above = name === root.unit ? null : examine(nameAbove(name, root.unit), root);
    if (above !== null && above.kind !== 'folder') return above;
    const known = kinds.get(name);
    if (known !== undefined) return { at: name, kind: known };
    const kind = kindAt(placeOf(name, root));
    if (kind === 'folder') kinds.set(name, kind);
    return { at: name, kind };
  };

  let seen = 0;
  for await (const name of readNames(listFile)) {
    const root = rootOf(name, rootPlacements);
    const { at, kind } = examine(name, root);
    if (kind === 'absent') {
      entries++;
      if (!units.has(at)) units.set(at, { unit: at, place: placeOf(at, root), rootPlace: root.place });
    } else if (kind === 'other' && at !== name) {
      blocked.set(placeOf(at, root), (blocked.get(placeOf(at, root)) ?? 0) + 1);
    }
    if (++seen % 1000 > 0) continue;
    await setImmediate();
    throwIfAborted(context.signal);
  }
  const conflicts = [...blocked].map(
    ([place, count]) =>
      `${quoteName(place)} is not a folder there: ${count} ${count === 1 ? 'entry' : 'entries'} below it cannot come back`,
  );
  return { units: [...units.values()], entries, conflicts };
}

const nameAbove = (name: ByteName, root: ByteName): ByteName =>
  root === '.' && !name.includes('/') ? '.' : folderOf(name);

const placeOf = (name: ByteName, root: Placement): ByteName =>
  root.unit === '.' ? joinNames(root.place, name) : `${root.place}${name.slice(root.unit.length)}`;

function rootOf(name: ByteName, roots: ReadonlyMap<ByteName, Placement>): Placement {
  for (let at = name; at !== ''; at = folderOf(at)) {
    const root = roots.get(at);
    if (root !== undefined) return root;
  }
  const whole = roots.get('.');
  if (whole === undefined) throw new Error('a name outside of every root');
  return whole;
}

async function* readNames(listFile: string): AsyncGenerator<ByteName> {
  let rest = '';
  for await (const chunk of createReadStream(listFile, { encoding: 'latin1' })) {
    const names = (rest + String(chunk)).split('\0');
    rest = names.pop() ?? '';
    yield* names;
  }
}
