import { TARGET_FACTS } from '../generated/schema-facts.ts';
import { SETTINGS } from './settings.ts';

/** One piece of a string with references: literal text, or something to look up. */
export type ReferencePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'env'; readonly name: string; readonly fallback: string | undefined; readonly written: string }
  | { readonly kind: 'file'; readonly path: string; readonly written: string }
  | { readonly kind: 'malformed'; readonly written: string };

const PIECE = /\$\$\{|\$\{([^}]*)\}?/g;
const ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;
const FILE = /^file:(.+)$/s;

/** Splits a string at its references; `$${` is a literal `${`. */
export function splitReferences(text: string): readonly ReferencePart[] {
  const parts: ReferencePart[] = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    parts.push(pieceOf(match[0], match[1]));
    end = match.index + match[0].length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}

function pieceOf(written: string, inside: string | undefined): ReferencePart {
  if (inside === undefined) return { kind: 'text', text: '${' };
  if (!written.endsWith('}')) return { kind: 'malformed', written };
  const env = ENV.exec(inside);
  if (env !== null) return { kind: 'env', name: env[1] ?? '', fallback: env[2], written };
  const file = FILE.exec(inside);
  return file === null ? { kind: 'malformed', written } : { kind: 'file', path: file[1] ?? '', written };
}

/** True for a string with at least one well-formed reference. */
export function holdsReference(value: unknown): boolean {
  return (
    typeof value === 'string' && splitReferences(value).some((part) => part.kind === 'env' || part.kind === 'file')
  );
}

/**
 * References work in the private key of `signing`, in values of repositories, of targets (not in keys that say what is captured, in programs with their
 * arguments, nor in settings that are read while planning), in `into` of a restore under the same terms, and in the environment of hooks.
 */
export function mayHoldReference(path: readonly (string | number)[], data: unknown): boolean {
  const [section, name, ...rest] = path.map(String);
  const key = rest[0] ?? '';
  if (section === 'signing') return name === 'privateKey';
  if (section === 'repositories') return rest.length > 0 && key !== 'type';
  if (section === 'targets') return rest.length > 0 && targetKeyMayHoldReference(typeOfTarget(data, name ?? ''), key);
  if (section === 'backups') return key === 'hooks' && rest[3] === 'env' && rest.length > 4;
  if (section === 'restores' && key === 'targets' && rest[2] === 'into' && rest.length > 3) {
    return targetKeyMayHoldReference(typeOfTarget(data, rest[1] ?? ''), rest[3] ?? '');
  }
  return false;
}

/** The same for one key of one type of target; an unknown type refuses only the settings. */
export function targetKeyMayHoldReference(type: string | undefined, key: string): boolean {
  if (SETTINGS.includes(key)) return false;
  const facts = Object.entries(TARGET_FACTS).find(([known]) => known === type)?.[1];
  return facts === undefined || !(facts.defines.includes(key) || facts.argv.includes(key));
}

function typeOfTarget(data: unknown, name: string): string | undefined {
  const targets = (data as { readonly targets?: Readonly<Record<string, unknown>> } | null | undefined)?.targets;
  const target = targets?.[name] as { readonly type?: unknown } | null | undefined;
  return typeof target?.type === 'string' ? target.type : undefined;
}
