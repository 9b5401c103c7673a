import type { MarkRecord } from './inventory.ts';
import type { Manifest, ManifestArtifact } from './manifest.ts';
import { renameKeys } from './move-keys.ts';

/**
 * An artifact that was damaged, brought back as other bytes: what is encrypted twice to the same readers is never the
 * same. A manifest never changes, so a `verified` mark tells where it is now.
 */
export interface Replacement extends Pick<ManifestArtifact, 'storedBytes' | 'storedSha256'> {
  /** The key that stands in the manifest. */
  readonly replaces: string;
  readonly key: string;
}

/** The newest replacement of every artifact that the marks of a snapshot tell of, by its key in the manifest. */
function replacementsIn(marks: readonly MarkRecord[]): ReadonlyMap<string, Replacement> {
  const verified = marks.filter(({ kind }) => kind === 'verified').toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return new Map(
    verified.flatMap(({ data }) =>
      (Array.isArray(data['stored']) ? data['stored'] : []).flatMap((value) =>
        isReplacement(value) ? [[value.replaces, value] as const] : [],
      ),
    ),
  );
}

/** A manifest with its artifacts where they are now, as the marks of its snapshot tell. */
export function withReplacements(manifest: Manifest, marks: readonly MarkRecord[]): Manifest {
  const found = replacementsIn(marks);
  if (found.size === 0) return manifest;
  const targets = Object.entries(manifest.targets).map(([name, target]) => {
    const artifacts = target.artifacts.map((artifact) => {
      const { replaces: _key, ...now } = found.get(artifact.key) ?? { replaces: artifact.key };
      return { ...artifact, ...now };
    });
    const keys = new Map(target.artifacts.map(({ key }, index) => [key, artifacts[index]?.key ?? key]));
    return [name, { ...target, artifacts, restore: renameKeys(target.restore, keys) }] as const;
  });
  return { ...manifest, targets: Object.fromEntries(targets) };
}

/** Replacements of artifacts that may have been replaced before, by the keys that stand in the manifest: what a mark keeps. */
export function inTermsOfManifest(
  replacements: readonly Replacement[],
  marks: readonly MarkRecord[],
): readonly Replacement[] {
  const originals = new Map([...replacementsIn(marks).values()].map(({ key, replaces }) => [key, replaces]));
  return replacements.map((one) => ({ ...one, replaces: originals.get(one.replaces) ?? one.replaces }));
}

function isReplacement(value: unknown): value is Replacement {
  if (typeof value !== 'object' || value === null) return false;
  const { replaces, key, storedBytes, storedSha256 } = value as Readonly<Record<string, unknown>>;
  const isKey = (text: unknown): boolean => typeof text === 'string' && /^[\w%~.-]+(?:\/[\w%~.-]+)*$/.test(text);
  return isKey(replaces) && isKey(key) && typeof storedBytes === 'number' && typeof storedSha256 === 'string';
}
