import { damagedArchive } from './errors.ts';

/** Options and indexes of one collection, as one line of JSON each, so that they can be compared and shown. */
export interface Definition {
  /** Empty for a collection without any. */
  readonly options: string;
  readonly indexes: Readonly<Record<string, string>>;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What servers add or rename by themselves, in indexes and in collations. */
const OF_SERVER = ['v', 'ns', 'background', 'storageEngine', 'textIndexVersion', '2dsphereIndexVersion', 'buildUUID'];
const NUMBERS = ['$numberInt', '$numberLong', '$numberDouble'];

/** Reads what mongodump wrote of a collection: `{ options, indexes, type }` in extended JSON. */
export function readDefinition(metadata: string): Definition {
  if (metadata === '') return { options: '', indexes: {} };
  let parsed: Json;
  try {
    parsed = JSON.parse(metadata) as Json;
  } catch {
    throw damagedArchive('what it says of a collection is no JSON');
  }
  const { options = {}, indexes = [], type = '' } = isObject(parsed) ? parsed : {};
  const all = Array.isArray(indexes) ? (indexes as readonly Json[]) : [];
  return defineCollection(typeof type === 'string' ? type : '', isObject(options) ? options : {}, all.filter(isObject));
}

/** The same of a collection on a server, from what it lists of it, in extended JSON. */
export function defineCollection(type: string, options: JsonObject, indexes: readonly JsonObject[]): Definition {
  const known = Object.entries(options).filter(([key]) => key !== 'uuid' && key !== 'autoIndexId');
  const kind: JsonObject = type === '' || type === 'collection' ? {} : { type };
  const all: JsonObject = { ...kind, ...Object.fromEntries(known) };
  return {
    options: Object.keys(all).length === 0 ? '' : lineOf(all),
    indexes: Object.fromEntries(indexes.map((index) => [nameOf(index), indexLine(index)])),
  };
}

const nameOf = ({ name }: JsonObject): string => (typeof name === 'string' ? name : '');

function indexLine(index: JsonObject): string {
  const { name: _, ...rest } = index;
  return lineOf(Object.fromEntries(Object.entries(rest).filter(([key]) => !OF_SERVER.includes(key))));
}

/** Keys are sorted at the top only: further down their order can mean something. */
function lineOf(object: JsonObject): string {
  const entries = Object.entries(object).map(([key, value]) => [key, plain(key, value)] as const);
  return JSON.stringify(Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

/** Numbers of every kind as numbers: servers change one into another. */
function plain(key: string, value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => plain('', item));
  if (!isObject(value)) return value;
  const [only, ...others] = Object.entries(value);
  if (only !== undefined && others.length === 0 && NUMBERS.includes(only[0])) return Number(only[1]);
  const kept = Object.entries(value).filter(([inner]) => key !== 'collation' || inner !== 'version');
  return Object.fromEntries(kept.map(([inner, held]) => [inner, plain(inner, held)]));
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
