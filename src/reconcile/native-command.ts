import type { Engine } from '../engines/engine.ts';
import type { Target } from '../generated/policy.ts';
import type { ResolvedTarget } from '../policy/resolved-policy.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';

const DECODERS = { zstd: 'zstd -dc', gzip: 'gzip -dc' } as const;

/** What a person types to decode an artifact to stdout; the identity is the file with the private key. */
export function decodeCommand({ key, compression, encryption }: ManifestArtifact): string {
  const decoder = compression === null ? undefined : DECODERS[compression];
  if (encryption === null) return `${decoder ?? 'cat'} ${key}`;
  return [`age -d -i identity.txt ${key}`, ...(decoder === undefined ? [] : [decoder])].join(' | ');
}

export interface NativeTarget {
  readonly engine: Engine;
  readonly target: ResolvedTarget;
  readonly config: Target;
}

/** The command that restores an artifact without bkp, as it stands in the manifest. */
export function nativeCommand({ engine, target, config }: NativeTarget, artifact: ManifestArtifact): string {
  // References stay references: the command is for people, and manifests hold no secrets.
  const { name, format, key } = artifact;
  const written = { ...config, ...target.config } as Target;
  return engine.nativeRestore(written, { name, format, decode: decodeCommand(artifact), file: key });
}
