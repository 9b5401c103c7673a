import { usageError } from '../errors.ts';

/** The options of one invocation as commander parsed them, read by type. */
export interface OptionValues {
  /** A value, or undefined when the option was not given. */
  text(name: string): string | undefined;
  flag(name: string): boolean;
  /** Values of an option that may be repeated. */
  list(name: string): readonly string[];
  /** A whole number of 0 or more. */
  integer(name: string): number | undefined;
  /** An instant: ISO 8601 with a zone, or a day (its start in UTC). */
  time(name: string): Date | undefined;
}

/** Wraps commander's plain object. Asking for another type than was declared is a `usage` error. */
export function optionValues(raw: Readonly<Record<string, unknown>>): OptionValues {
  const text = (name: string): string | undefined => {
    const value = raw[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    flag: (name) => raw[name] === true,
    list: (name) => {
      const value = raw[name];
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
    integer: (name) => {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d{1,9}$/.test(value)) throw usageError(`cannot read --${dashed(name)} ${value}: not a whole number`);
      return Number(value);
    },
    time: (name) => {
      const value = text(name);
      return value === undefined ? undefined : readTime(dashed(name), value);
    },
  };
}

function readTime(name: string, value: string): Date {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(value);
  const hasZone = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})$/.test(value);
  const time = new Date(value);
  if ((!isDay && !hasZone) || Number.isNaN(time.getTime())) {
    throw usageError(`cannot read --${name} ${value}: not a time`, {
      hint: 'write it like 2026-11-19T02:00:00Z or 2026-11-19',
    });
  }
  return time;
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
