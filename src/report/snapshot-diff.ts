import { formatBytes } from '../format-bytes.ts';
import { totalBytes } from '../reconcile/total-bytes.ts';
import type { Manifest } from '../snapshots/manifest.ts';
import { factRows, type FactValue } from './snapshot-text.ts';
import { formatTable } from './table.ts';
import type { Paint } from './terminal.ts';

/** One fact, size or status that differs between two snapshots; null where one has none. */
export interface SnapshotChange {
  readonly target: string;
  /** `facts.tables.events`, `rawBytes`, `storedBytes`, `status`. */
  readonly what: string;
  readonly before: FactValue;
  readonly after: FactValue;
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

/** The changes that are known where the facts of one of them cannot be read. */
export const withoutFacts = (changes: readonly SnapshotChange[]): readonly SnapshotChange[] =>
  changes.filter(({ what }) => !what.startsWith('facts'));

function valuesOf(manifest: Manifest, target: string): ReadonlyMap<string, FactValue> {
  const stored = manifest.targets[target];
  if (stored === undefined) return new Map();
  const bytes = totalBytes(stored.artifacts);
  return new Map<string, FactValue>([
    ['status', stored.status],
    ...factRows(stored.facts, 'facts'),
    ['rawBytes', bytes.raw],
    ['storedBytes', bytes.stored],
  ]);
}

const SIZES: Readonly<Record<string, string>> = { rawBytes: 'size', storedBytes: 'stored' };

/** The changes as a table, with the difference of numbers. */
export function formatSnapshotDiff(
  before: Manifest,
  after: Manifest,
  changes: readonly SnapshotChange[],
  paint: Paint,
): string {
  const title = `${paint('bold', `${before.backup}@${before.id}`)} -> ${paint('bold', `${after.backup}@${after.id}`)}\n`;
  if (changes.length === 0) return `${title}No differences in facts and sizes.\n`;
  const rows = changes.map(({ target, what, before: old, after: now }) => {
    const size = SIZES[what];
    const show = size === undefined ? showFact : showSize;
    return [target, size ?? what.replace(/^facts\./, ''), show(old), show(now), deltaOf(old, now, show)];
  });
  const [head = '', ...lines] = formatTable(
    [['TARGET', 'WHAT', 'BEFORE', 'AFTER', 'CHANGE'], ...rows],
    [2, 3, 4],
  ).split('\n');
  return [title + paint('bold', head), ...lines].join('\n');
}

type Show = (value: FactValue) => string;
const showFact: Show = (value) =>
  value === null ? '-' : typeof value === 'number' ? value.toLocaleString('en') : shorten(String(value));
const showSize: Show = (value) => (typeof value === 'number' ? formatBytes(value) : '-');

/** Digests and texts differ or not; their whole length says no more. */
const shorten = (text: string): string => (text.length <= 24 ? text : `${text.slice(0, 23)}…`);

function deltaOf(before: FactValue, after: FactValue, show: Show): string {
  if (typeof before !== 'number' || typeof after !== 'number') return '';
  return `${after > before ? '+' : '-'}${show(Math.abs(after - before))}`;
}
