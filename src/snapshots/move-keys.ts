import type { Manifest, ManifestTarget } from './manifest.ts';

/** A manifest whose artifacts lie below a prefix of their snapshot's folder, the restore commands too. */
export function moveKeys(manifest: Manifest, prefix: string): Manifest {
  if (prefix === '') return manifest;
  const targets = Object.entries(manifest.targets).map(([name, target]) => [name, moved(target, prefix)] as const);
  return { ...manifest, targets: Object.fromEntries(targets) };
}

function moved(target: ManifestTarget, prefix: string): ManifestTarget {
  const keys = new Map(
    target.artifacts.flatMap(({ key, folder }) => [key, folder?.key ?? key]).map((key) => [key, prefix + key]),
  );
  return {
    ...target,
    artifacts: target.artifacts.map(({ folder, ...artifact }) => ({
      ...artifact,
      key: prefix + artifact.key,
      ...(folder === undefined ? {} : { folder: { ...folder, key: prefix + folder.key } }),
    })),
    restore: renameKeys(target.restore, keys),
  };
}

/** Commands that name artifacts by other keys. */
export const renameKeys = (
  commands: readonly string[],
  keys: ReadonlyMap<string | undefined, string>,
): readonly string[] => commands.map((command) => command.replaceAll(WORD, (word) => keys.get(word) ?? word));

/** What can be a key in a shell command: keys need no quotes. */
const WORD = /[\w%~./-]+/g;
