import type { Manifest } from '../snapshots/manifest.ts';
import { factRows } from './snapshot-text.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** One number, text or target that differs between two snapshots; null where one has none. */
export interface SnapshotChange {
  readonly target: string;
  readonly what: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What differs between two snapshots: facts, raw and stored sizes, target by target. */
export function snapshotDiff(before: Manifest, after: Manifest): readonly SnapshotChange[] {
  const names = [...new Set([...Object.keys(before.targets), ...Object.keys(after.targets)])];
  return names.flatMap((target) => {
    const [a, b] = [valuesOf(before, target), valuesOf(after, target)];
    return [...new Set([...a.keys(), ...b.keys()])]
      .map((what) => ({ target, what, before: a.get(what) ?? null, after: b.get(what) ?? null }))
      .filter((change) => change.before !== change.after);
  });
}

function valuesOf(manifest: Manifest, target: string): ReadonlyMap<string, string> {
  const stored = manifest.targets[target];
  if (stored === undefined) return new Map();
  const raw = stored.artifacts.reduce((sum, artifact) => sum + (artifact.rawBytes ?? 0), 0);
  const bytes = stored.artifacts.reduce((sum, artifact) => sum + artifact.storedBytes, 0);
  const rows: readonly (readonly string[])[] = [
    ['status', stored.status],
    ...factRows(stored.facts),
    ['bytes', String(raw)],
    ['stored bytes', String(bytes)],
  ];
  return new Map(rows.map(([what = '', value = '']) => [what, value]));
}

/** The changes as a table, with the difference of numbers. */
export function formatSnapshotDiff(
  before: Manifest,
  after: Manifest,
  changes: readonly SnapshotChange[],
  paint: Paint,
): string {
  const title = `${paint('bold', `${before.backup}@${before.id}`)} -> ${paint('bold', `${after.backup}@${after.id}`)}\n`;
  if (changes.length === 0) return `${title}No differences in facts and sizes.\n`;
  const rows = changes.map((change) => [
    change.target,
    change.what,
    change.before ?? '-',
    change.after ?? '-',
    deltaOf(change),
  ]);
  return `${title}${formatTable([['TARGET', 'WHAT', 'BEFORE', 'AFTER', 'CHANGE'], ...rows], [2, 3, 4])}`;
}

function deltaOf({ before, after }: SnapshotChange): string {
  const delta = Number(after ?? 'none') - Number(before ?? 'none');
  return Number.isFinite(delta) && before !== null && after !== null ? `${delta > 0 ? '+' : ''}${delta}` : '';
}
