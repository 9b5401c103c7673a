import { isAlias, isMap, isPair, isScalar, isSeq, type Document, type Node, type Pair } from 'yaml';
import type { Diagnostic } from '../errors.ts';
import type { PolicyDocument } from './document.ts';
import type { SourcePosition } from './resolved-policy.ts';
import type { Offsets } from './secret-text.ts';

/** Keys and indices from the root of a file to a value. */
export type Path = readonly (string | number)[];
export type Part = 'key' | 'value';

type Range = Diagnostic['range'];

/** The characters of a key or value. What stands behind an alias or a merge key is found where it is written. */
export function offsetsOf(document: PolicyDocument, path: Path, part: Part): Offsets {
  const found = follow(document.yaml, path);
  const written = found.value?.range && found.value.range[1] > found.value.range[0] ? found.value : undefined;
  const node = part === 'key' ? (found.key ?? written) : (written ?? found.key);
  const range = node?.range;
  if (!range) return { start: 0, end: Math.max(1, document.text.search(/\r?\n|$/)) };
  return { start: range[0], end: Math.max(range[1], range[0] + 1) };
}

/** A range in lines and columns, cut at the end of its first line. */
export function rangeOf(document: PolicyDocument, at: Offsets): Range {
  const start = positionOf(document, at.start);
  const lineEnd = document.text.slice(at.start).search(/\r?\n|$/);
  const length = Math.max(1, Math.min(at.end - at.start, lineEnd));
  return { start, end: { line: start.line, column: start.column + length } };
}

/** The position of a key of the policy, for the steps it asks for. */
export function sourceOf(document: PolicyDocument, path: Path, part: Part = 'key'): SourcePosition {
  return { file: document.file, ...positionOf(document, offsetsOf(document, path, part).start) };
}

function positionOf({ lineStarts, text }: PolicyDocument, offset: number): Range['start'] {
  const at = Math.min(offset, text.length);
  const after = lineStarts.findIndex((start) => start > at);
  const line = after === -1 ? lineStarts.length : after;
  return { line, column: at - (lineStarts[line - 1] ?? 0) + 1 };
}

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

function follow(yaml: Document, path: Path): Found {
  let found: Found = { key: undefined, value: (yaml.contents as Node | null) ?? undefined };
  for (const step of path) {
    const node = behindAlias(found.value, yaml);
    if (isSeq(node)) {
      const item = node.items[Number(step)];
      if (item === undefined) break;
      found = { key: item as Node, value: item as Node };
    } else if (isMap(node)) {
      const pair = findPair(node, String(step), yaml);
      if (pair === undefined) break;
      found = { key: pair.key as Node, value: (pair.value as Node | null) ?? undefined };
    } else break;
  }
  return found;
}

const behindAlias = (node: unknown, yaml: Document): unknown => (isAlias(node) ? node.resolve(yaml) : node);

/** A pair of the map itself, else of what it merges; in a list of merges the first wins. */
function findPair(map: { readonly items: readonly unknown[] }, key: string, yaml: Document): Pair | undefined {
  const pairs = map.items.filter((item): item is Pair => isPair(item));
  const own = pairs.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own !== undefined) return own;
  for (const pair of pairs) {
    if (!isScalar(pair.key) || pair.key.value !== '<<') continue;
    const source = behindAlias(pair.value, yaml);
    for (const merged of isSeq(source) ? source.items : [source]) {
      const node = behindAlias(merged, yaml);
      const inner = isMap(node) ? findPair(node, key, yaml) : undefined;
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}
