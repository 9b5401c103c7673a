import { repositoryError } from '../errors.ts';

/**
 * Throws unless the key names one object inside a repository: relative, `/`-separated, without empty, `.`-led or
 * over-long segments, control characters or backslashes. Segments that start with a dot belong to the store itself.
 */
export function checkKey(key: string): void {
  const reason = problemOf(key);
  if (reason !== undefined) throw repositoryError(`cannot use the key ${JSON.stringify(key)}: ${reason}`);
}

/** The same for a prefix of keys: empty, or ending with `/`. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return;
  if (!prefix.endsWith('/')) throw repositoryError(`cannot list ${JSON.stringify(prefix)}: a prefix ends with a slash`);
  checkKey(prefix.slice(0, -1));
}

/** True for a name that can be one segment of a key. */
export function isKeySegment(name: string): boolean {
  return name !== '' && segmentProblem(name) === undefined && !name.includes('/');
}

/** What nearly every key is made of, seen at one look: a plan asks for a hundred thousand keys. */
const PLAIN = /^[\w%~-][\w%~.-]*(?:\/[\w%~-][\w%~.-]*)*$/;
const PLAIN_LENGTH = 255;

function problemOf(key: string): string | undefined {
  if (key.length <= PLAIN_LENGTH && PLAIN.test(key)) return undefined;
  if (key === '') return 'it is empty';
  if (Buffer.byteLength(key) > 1024) return 'it is longer than 1024 bytes';
  for (const segment of key.split('/')) {
    const reason = segment === '' ? 'it has an empty segment' : segmentProblem(segment);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function segmentProblem(segment: string): string | undefined {
  if (segment.length <= PLAIN_LENGTH && PLAIN.test(segment)) return undefined;
  if (segment.startsWith('.')) return 'a segment starts with a dot';
  // eslint-disable-next-line no-control-regex -- control characters are what this refuses
  if (/[\u0000-\u001f\u007f\\\ufffd]/.test(segment) || !segment.isWellFormed()) return 'it has a forbidden character';
  if (Buffer.byteLength(segment) > 255) return 'a segment is longer than 255 bytes';
  return undefined;
}
