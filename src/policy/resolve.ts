import { createHash } from 'node:crypto';
import type { Defaults, Restore, SigningKeys, Target } from '../generated/policy.ts';
import { TARGET_FACTS } from '../generated/schema-facts.ts';
import type { Compression } from '../streams/bytes.ts';
import { absolutePaths, withDefaultDirectory } from './absolute-paths.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { PolicyDocument } from './document.ts';
import { sourceOf, type Path } from './locate.ts';
import { policyData, type Entry, type PolicySet } from './policy-set.ts';
import { resolveBackup } from './resolve-backup.ts';
import { parseDuration } from '../duration.ts';
import { storedText } from './stored-text.ts';
import type {
  ResolvedPolicy,
  ResolvedRepository,
  ResolvedRestore,
  ResolvedSigning,
  ResolvedTarget,
  SourcePosition,
} from './resolved-policy.ts';

/** Fills defaults, links names, makes paths absolute and freezes. The set has passed all rules: nothing fails here. */
export function resolvePolicy(set: PolicySet, path: string): ResolvedPolicy {
  const root = policyData(set.main);
  const targets = Object.fromEntries(set.targets.map((entry) => [entry.name, resolveTargetEntry(entry)]));
  return deepFreeze({
    name: root.name ?? '',
    formerly: root.formerly ?? [],
    path,
    sha256: digestOf(set.documents),
    files: Object.fromEntries(sortedByKey(set.documents).map((document) => [document.key, storedText(document)])),
    ...(root.signing === undefined ? {} : { signing: resolveSigning(root.signing, set.main) }),
    repositories: set.repositories.map(({ name, value, document, path: at }): ResolvedRepository => ({
      name,
      config: absolutePaths('repository', value, document.directory),
      directory: document.directory,
      source: sourceOf(document, at),
      sources: keySources({ value, document, path: at }),
    })),
    targets,
    backups: set.backups.map((entry) => resolveBackup(entry, targets)),
    restores: set.restores.map((entry) => resolveRestore(entry, targets)),
  });
}

function resolveSigning(signing: SigningKeys, document: PolicyDocument): ResolvedSigning {
  const { publicKeys, privateKey } = signing;
  return {
    publicKeys,
    ...(privateKey === undefined ? {} : { privateKey }),
    directory: document.directory,
    source: sourceOf(document, ['signing']),
    sources: keySources({ value: signing, document, path: ['signing'] }),
  };
}

/** SHA-256 over all files, sorted by path: names and lengths are in it, so no text can move from one to another. */
function digestOf(documents: readonly PolicyDocument[]): string {
  const hash = createHash('sha256');
  for (const { key, text } of sortedByKey(documents)) {
    hash.update(JSON.stringify([key, Buffer.byteLength(text)]));
    hash.update(text);
  }
  return hash.digest('hex');
}

const sortedByKey = (documents: readonly PolicyDocument[]): readonly PolicyDocument[] =>
  documents.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

function resolveTargetEntry({ name, value, document, path }: Entry<Target>): ResolvedTarget {
  return {
    name,
    formerly: value.formerly ?? [],
    config: absolutePaths('target', withDefaultDirectory(value, document.directory), document.directory),
    definition: definitionOf(value),
    compression: compressionOf(value, policyData(document).defaults ?? {}),
    checks: value.checks ?? 'full',
    directory: document.directory,
    source: sourceOf(document, path),
    sources: keySources({ value, document, path }),
  };
}

function keySources({
  value,
  document,
  path,
}: {
  readonly value: object;
  readonly document: PolicyDocument;
  readonly path: Path;
}): Readonly<Record<string, SourcePosition>> {
  return Object.fromEntries(Object.keys(value).map((key) => [key, sourceOf(document, [...path, key], 'value')]));
}

/** The keys that say what is captured, as written, with the type. */
function definitionOf(target: Target): Readonly<Record<string, unknown>> {
  const defines = TARGET_FACTS[target.type].defines;
  return Object.fromEntries(Object.entries(target).filter(([key]) => key === 'type' || defines.includes(key)));
}

const DEFAULT_LEVELS = { zstd: 3, gzip: 6, none: 0 } as const;

/** The method and level of a target; a default level goes with the default method only. */
function compressionOf(target: Target, defaults: Defaults): Compression {
  const fallback = defaults.compression ?? 'zstd';
  const method = target.compression ?? fallback;
  if (method === 'none') return { method, level: 0 };
  const inherited = method === fallback ? defaults.compressionLevel : undefined;
  return { method, level: target.compressionLevel ?? inherited ?? DEFAULT_LEVELS[method] };
}

function resolveRestore(
  { name, value, document, path }: Entry<Restore>,
  targets: Readonly<Record<string, ResolvedTarget>>,
): ResolvedRestore {
  const [backup = '', selector = ''] = value.from.split('@');
  const entries = Object.entries(value.targets).map(([target, { into = {}, mode = 'new' }]) => {
    const type = targets[target]?.config.type;
    const { type: _type, ...settings } =
      type === undefined ? into : absolutePaths('target', { ...into, type } as Target, document.directory);
    return [target, { into: settings, mode }] as const;
  });
  return {
    name,
    backup,
    selector,
    repeat: value.repeat ?? false,
    targets: Object.fromEntries(entries),
    keepOldMs: parseDuration(value.keepOld ?? '24h') ?? 0,
    source: sourceOf(document, path),
  };
}
