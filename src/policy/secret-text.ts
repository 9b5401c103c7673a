import { isAlias, isMap, isPair, isScalar, isSeq, visit, type Document, type Node } from 'yaml';
import { REPOSITORY_FACTS, SECRET, TARGET_FACTS } from '../generated/schema-facts.ts';
import { splitReferences } from './reference-syntax.ts';

/** A private key of age, wherever it stands by mistake. */
const PRIVATE_KEY = /AGE-SECRET-KEY-/i;

/** The edges of a stretch of text, counted in UTF-16 units. */
export interface Offsets {
  readonly start: number;
  readonly end: number;
}

/** Names of keys and variables whose values are not for other eyes. */
export const SECRET_NAME: RegExp =
  /(?:^|[_-])pass(?:$|[_-])|password|passwd|passphrase|secret|token|api_?-?key|credential|private_?-?key|access_?-?key|auth$/i;

const PATTERNS: readonly string[] = [
  ...SECRET,
  ...Object.values(TARGET_FACTS).flatMap((facts) => facts.secrets.map((key) => `targets.*.${key}`)),
  ...Object.values(TARGET_FACTS).flatMap((facts) => facts.secrets.map((key) => `restores.*.targets.*.into.${key}`)),
  ...Object.values(REPOSITORY_FACTS).flatMap((facts) => facts.secrets.map((key) => `repositories.*.${key}`)),
];

/** True for a field that the schema marks as secret, and for everything below it. */
export function isSecretPath(path: readonly (string | number)[]): boolean {
  return PATTERNS.some((pattern) => {
    const steps = pattern.split('.');
    return steps.length <= path.length && steps.every((step, index) => step === '*' || step === String(path[index]));
  });
}

/** Deeper than any policy; what is deeper stands in a circle of aliases. */
const MOST_DEPTH = 64;

/** A name that says so, and the environment of a hook whose own key is mistyped. */
const looksSecret = (name: string, value: unknown): boolean =>
  isScalar(value) ? SECRET_NAME.test(name) : isMap(value) && name === 'env';

/** The maps that a merge key brings in. */
const merged = (value: unknown): readonly unknown[] => (isSeq(value) ? value.items : [value]);

/** Nothing but references; the default of one is a literal. */
const isReference = (value: string): boolean =>
  splitReferences(value).every((part) =>
    part.kind === 'env' ? (part.fallback ?? '') === '' : part.kind !== 'text' && part.written.endsWith('}'),
  );

/** Where values of secret fields, and of keys that look like one, stand in the text. References are no secrets. */
export function secretOffsets(yaml: Document): readonly Offsets[] {
  const found: Offsets[] = [];
  const target = (node: unknown): unknown => (isAlias(node) ? node.resolve(yaml) : node);
  const hide = (node: unknown, depth: number): void => {
    if (depth > MOST_DEPTH) return;
    visit((target(node) ?? null) as Node | null, {
      Alias: (_key, alias) => hide(alias, depth + 1),
      Scalar(key, scalar) {
        if (key !== 'key' && scalar.range && !isReference(String(scalar.value))) {
          found.push({ start: scalar.range[0], end: scalar.range[1] });
        }
      },
    });
  };
  const walk = (node: unknown, path: readonly (string | number)[], depth = 0): void => {
    const inner = target(node);
    if (isScalar(inner) && PRIVATE_KEY.test(String(inner.value))) hide(inner, depth);
    if (isSeq(inner)) inner.items.forEach((item, index) => walk(item, [...path, index], depth + 1));
    if (!isMap(inner) || depth > MOST_DEPTH) return;
    for (const pair of inner.items) {
      if (!isPair(pair) || !isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      const value = target(pair.value);
      if (name === '<<') merged(value).forEach((one) => walk(one, path, depth + 1));
      else if (isSecretPath([...path, name]) || looksSecret(name, value)) hide(value, depth);
      else walk(value, [...path, name], depth + 1);
    }
  };
  walk(yaml.contents, []);
  return found;
}

const ENV_BLOCK = /^((?:\s|-(?=\s))*)env\s*:\s*(?:[&#].*)?$/;
const ENV_FLOW = /(?:^|[\s{,])env\s*:\s*\{/;
const ENV_ENTRY = /^\s*[^\s:#]+\s*:\s+|^\s+/;

/** The same for text that has no tree, as its lines tell: what stands under an `env` key. */
export function guessSecretOffsets(text: string): readonly Offsets[] {
  const found: Offsets[] = [];
  let block: number | null = null;
  let start = 0;
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (block !== null && indent !== -1 && indent <= block) block = null;
    const opened = ENV_BLOCK.exec(line);
    const flow = ENV_FLOW.exec(line);
    const entry = block === null ? flow : ENV_ENTRY.exec(line);
    const from = entry === null ? line.length : entry.index + entry[0].length;
    if (opened !== null) block = opened[1]?.length ?? 0;
    else if (
      entry !== null &&
      !isReference(
        line
          .slice(from)
          .trim()
          .replaceAll(/^["']|["']$/g, ''),
      )
    ) {
      found.push({ start: start + from, end: start + line.length });
    }
    start += line.length + 1;
  }
  return found;
}

const SECRET_LINE = new RegExp(
  `((?:^|[\\s{,])["']?[\\w-]*(?:${SECRET_NAME.source.replaceAll(/[$^]/g, '')})[\\w-]*["']?\\s*[:=]\\s*)(.+)$`,
  'i',
);

/** One line with secrets covered: by position, and where the text could not be parsed also by the name before a colon. */
export function maskLine(line: string, lineStart: number, secrets: readonly Offsets[], byName: boolean): string {
  const covered = line.split('');
  for (const { start, end } of secrets) {
    for (let at = Math.max(start, lineStart); at < Math.min(end, lineStart + line.length); at++) {
      if (!/\s/.test(covered[at - lineStart] ?? ' ')) covered[at - lineStart] = '*';
    }
  }
  const masked = covered.join('');
  if (!byName) return masked;
  return masked.replace(SECRET_LINE, (_all, before: string, value: string) => before + value.replaceAll(/\S/g, '*'));
}
