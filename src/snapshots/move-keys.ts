import type { Manifest, ManifestTarget } from './manifest.ts';

/** A manifest whose artifacts lie below a prefix of their snapshot's folder, the restore commands too. */
export function moveKeys(manifest: Manifest, prefix: string): Manifest {
  if (prefix === '') return manifest;
  const targets = Object.entries(manifest.targets).map(([name, target]) => [name, moved(target, prefix)] as const);
  return { ...manifest, targets: Object.fromEntries(targets) };
}

function moved(target: ManifestTarget, prefix: string): ManifestTarget {
  const keys = target.artifacts.map(({ key }) => key);
  return {
    ...target,
    artifacts: target.artifacts.map((artifact) => ({ ...artifact, key: prefix + artifact.key })),
    restore: target.restore.map((command) =>
      command.replaceAll(WORD, (word) => (keys.includes(word) ? prefix + word : word)),
    ),
  };
}

/** What can be a key in a shell command: keys need no quotes. */
const WORD = /[\w%~./-]+/g;
