import { isUtf8 } from 'node:buffer';
import { usageError } from '../../errors.ts';
import type { ByteName } from './byte-name.ts';

export interface GlobMatcher {
  /** Whether a path relative to a captured folder matches one of the globs. */
  matches(path: ByteName, isFolder: boolean): boolean;
  /** Whether something below a folder could match: what cannot need not be entered. */
  leadsTo(folder: ByteName): boolean;
}

/**
 * `*` matches within a name, `**` any number of folders, `?` one character, `[a-z]` and `[!a-z]` one of a class, `\` takes
 * the next character as it is; all of them match a leading dot too. A glob that ends in `/` matches folders only.
 */
export function compileGlobs(globs: readonly string[]): GlobMatcher {
  const compiled = globs.map((glob) => {
    const parts = glob.split('/').filter((part) => part !== '' && part !== '.');
    const ways = parts.slice(0, -1).map((_, index) => toPattern(globSource(parts.slice(0, index + 1)), glob));
    return { pattern: toPattern(globSource(parts), glob), ways, foldersOnly: glob.endsWith('/') };
  });
  return {
    matches(path, isFolder) {
      const text = matchable(path);
      return compiled.some(({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && pattern.test(text));
    },
    leadsTo(folder) {
      const text = matchable(folder);
      return compiled.some(({ ways }) => ways.some((way) => way.test(text)));
    },
  };
}

/** A name that is not UTF-8 is matched byte by byte. */
function matchable(path: ByteName): string {
  const bytes = Buffer.from(path, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : path;
}

function globSource(parts: readonly string[]): string {
  let source = '';
  let slash = '';
  for (const [index, part] of parts.entries()) {
    if (part !== '**') {
      source += `${slash}${partPattern(part)}`;
      slash = '/';
    } else {
      source += index === parts.length - 1 ? `${slash}.+` : `${slash}(?:[^/]+/)*`;
      slash = '';
    }
  }
  return source;
}

function toPattern(source: string, glob: string): RegExp {
  try {
    return new RegExp(`^(?:${source})$`, 'su');
  } catch (cause) {
    throw usageError(`cannot use glob "${glob}": a class like [a-z] in it is malformed`, { cause });
  }
}

function partPattern(part: string): string {
  let source = '';
  const characters = Array.from(part);
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] as string;
    if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '\\' && at + 1 < characters.length) source += literal(characters[++at] as string);
    else if (character === '[') {
      const end = characters.indexOf(']', at + (/[!^]/.test(characters[at + 1] ?? '') ? 3 : 2));
      if (end < 0) {
        source += '\\[';
      } else {
        source += classPattern(characters.slice(at + 1, end));
        at = end;
      }
    } else source += literal(character);
  }
  return source;
}

function classPattern(members: readonly string[]): string {
  const isNegated = members[0] === '!' || members[0] === '^';
  const rest = (isNegated ? members.slice(1) : members).map((member) => member.replace(/[\\\]^[]/u, '\\$&'));
  return isNegated ? `[^/${rest.join('')}]` : `[${rest.join('')}]`;
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|]/u, '\\$&');
