import type { Facts, FactValue } from './engine.ts';

/** What differs between two sets of facts, one clause each: `tables.events is 11, not 12`. */
export function factsDifference(expected: Facts, found: Facts): readonly string[] {
  return compare('', expected, found);
}

function compare(path: string, expected: FactValue | undefined, found: FactValue | undefined): readonly string[] {
  if (isRecord(expected) && isRecord(found)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(found)])].toSorted();
    return keys.flatMap((key) => compare(path === '' ? key : `${path}.${key}`, expected[key], found[key]));
  }
  if (expected === found) return [];
  return [`${path} is ${show(found)}, not ${show(expected)}`];
}

const isRecord = (value: FactValue | undefined): value is { readonly [key: string]: FactValue } =>
  typeof value === 'object' && value !== null;

const show = (value: FactValue | undefined): string => (value === undefined ? 'missing' : JSON.stringify(value));
