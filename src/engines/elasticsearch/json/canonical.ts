import { createHash } from 'node:crypto';

/** The same text for equal values, whatever the order of their keys. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}

/** A short digest of JSON as somebody else wrote it. */
export const digestJson = (json: Buffer | string): string =>
  createHash('sha256')
    .update(canonicalJson(JSON.parse(json.toString())))
    .digest('hex')
    .slice(0, 16);
