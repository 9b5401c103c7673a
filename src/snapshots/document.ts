import { reasonOf } from '../errors.ts';
import { canonicalJson } from './canonical-json.ts';

/** A stored JSON document, or why it cannot be used: nothing unreadable or newer is ever acted upon. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: 'newer-format' | 'unreadable'; readonly message: string };

/** The bytes of a document: sorted keys, indented for people, the same for the same value. */
export function writeDocument(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(JSON.parse(canonicalJson(value)), null, 2)}\n`);
}

/**
 * Parses a document of a format up to `newest`. `interpret` takes what it needs from the fields and throws with a reason
 * when they are not what they must be.
 */
export function parseDocument<T>(bytes: Uint8Array, newest: number, interpret: (fields: Fields) => T): Parsed<T> {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    const fields = fieldsOf(value, 'the document');
    const format = fields.whole('formatVersion');
    if (format > newest) {
      return {
        ok: false,
        reason: 'newer-format',
        message: `format ${format} is newer than ${newest}, the newest this bkp reads`,
      };
    }
    if (format < 1) throw new Error(`format ${format} does not exist`);
    return { ok: true, value: interpret(fields) };
  } catch (error) {
    return { ok: false, reason: 'unreadable', message: reasonOf(error) };
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Typed access to the members of a JSON object; each throws when the member is not what is asked for. */
export interface Fields {
  readonly all: Readonly<Record<string, unknown>>;
  text(name: string): string;
  textOrNull(name: string): string | null;
  whole(name: string): number;
  /** An ISO instant in UTC. */
  time(name: string): string;
  timeOrNull(name: string): string | null;
  oneOf<T extends string>(name: string, ...allowed: readonly T[]): T;
  texts(name: string): readonly string[];
  object(name: string): Fields;
  list<T>(name: string, item: (value: unknown, name: string) => T): readonly T[];
}

/** Wraps a JSON object. */
export function fieldsOf(value: unknown, subject: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${subject} is not an object`);
  const all = value as Readonly<Record<string, unknown>>;
  const own = (name: string): unknown => (Object.hasOwn(all, name) ? all[name] : undefined);
  const wrong = (name: string, wanted: string): Error => new Error(`\`${name}\` of ${subject} is not ${wanted}`);
  const text = (name: string): string => {
    const member = own(name);
    if (typeof member !== 'string') throw wrong(name, 'a text');
    return member;
  };
  const time = (name: string): string => {
    const member = text(name);
    if (!isInstant(member)) throw wrong(name, 'a time');
    return member;
  };
  const list: Fields['list'] = (name, item) => {
    const member = own(name);
    if (!Array.isArray(member)) throw wrong(name, 'a list');
    return member.map((one: unknown) => item(one, `an item of \`${name}\``));
  };
  return {
    all,
    text,
    time,
    list,
    textOrNull: (name) => (own(name) === null ? null : text(name)),
    timeOrNull: (name) => (own(name) === null ? null : time(name)),
    whole: (name) => {
      const member = own(name);
      if (typeof member !== 'number' || !Number.isSafeInteger(member)) throw wrong(name, 'a whole number');
      return member;
    },
    oneOf: (name, ...allowed) => {
      const member = allowed.find((one) => one === own(name));
      if (member === undefined) throw wrong(name, allowed.join(' or '));
      return member;
    },
    texts: (name) =>
      list(name, (one) => {
        if (typeof one !== 'string') throw wrong(name, 'a list of texts');
        return one;
      }),
    object: (name) => fieldsOf(own(name), `\`${name}\``),
  };
}

/** True for an ISO instant in UTC that exists. */
export function isInstant(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text));
}
