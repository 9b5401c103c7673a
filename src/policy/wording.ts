import type { Path } from './locate.ts';

/** Kinds of values in the words of messages. */
export const KIND_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
  null: 'nothing',
};

const SECTION_WORDS: Readonly<Record<string, string>> = {
  repositories: 'repository',
  targets: 'target',
  backups: 'backup',
  restores: 'restore',
};

/** What a value is, without showing it. */
export function describeKind(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return value === '' ? 'empty text' : 'text';
  return typeof value === 'number' ? `the number ${value}` : value === true ? 'true' : 'false';
}

/** `target "app-db"`, `retention`, `entry 2 of before`, `the policy`. */
export function describePlace(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return 'the policy';
  const word = path.length === 2 ? SECTION_WORDS[String(path[0])] : undefined;
  if (word !== undefined) return `${word} "${last}"`;
  if (typeof last === 'number') return `entry ${last + 1} of ${String(path.at(-2) ?? 'the list')}`;
  return last;
}
