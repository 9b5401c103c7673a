import { isUtf8 } from 'node:buffer';

/**
 * A file name or path as its bytes, one character per byte (latin1): names on disk and in archives need not be UTF-8, and
 * a string can be compared, split and kept in a set.
 */
export type ByteName = string;

/** The bytes of an ordinary string. */
export const fromText = (text: string): ByteName => Buffer.from(text, 'utf8').toString('latin1');

/** What node:fs wants for a name that need not be UTF-8. */
export const toBuffer = (name: ByteName): Buffer => Buffer.from(name, 'latin1');

/** The name as text where it is UTF-8, else null. */
export function toText(name: ByteName): string | null {
  const bytes = toBuffer(name);
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

/** The name for people: in quotes, with control characters and stray bytes escaped. */
export function quoteName(name: ByteName): string {
  const text = toText(name) ?? name.replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
  // oxlint-disable-next-line no-control-regex -- names may hold them, terminals must not see them
  const safe = text.replace(/[\x00-\x1f\x7f-\x9f]/g, (control) => JSON.stringify(control).slice(1, -1));
  return `"${safe}"`;
}

/** `a/b` of `a` and `b`; either may be empty. */
export function joinNames(folder: ByteName, name: ByteName): ByteName {
  if (folder === '') return name;
  if (name === '' || name === '.') return folder;
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** The folder that a path lies in: `/` for `/a`, empty for `a`. */
export function folderOf(path: ByteName): ByteName {
  const slash = path.lastIndexOf('/');
  return slash === 0 ? '/' : path.slice(0, Math.max(slash, 0));
}

/** The last part of a path. */
export const lastPart = (path: ByteName): ByteName => path.slice(path.lastIndexOf('/') + 1);

/**
 * An archive's name for an entry without what means nothing: `./`, `//`, a slash at the end. The top folder itself is `.`;
 * a leading slash and `..` stay, so that they can be refused.
 */
export function canonicalName(name: ByteName): ByteName {
  if (!/(?:^|\/)(?:\.?\/|\.$|$)/.test(name)) return name;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  const path = `${name.startsWith('/') ? '/' : ''}${parts.join('/')}`;
  return path === '' ? '.' : path;
}
