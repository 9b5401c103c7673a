import type { Engine } from '../engines/engine.ts';
import type { Target } from '../generated/policy.ts';
import type { ResolvedTarget } from '../policy/resolved-policy.ts';
import type { ManifestArtifact } from '../snapshots/manifest.ts';

const DECODERS = { zstd: 'zstd -dc', gzip: 'gzip -dc' } as const;

export interface NativeTarget {
  readonly engine: Engine;
  readonly target: ResolvedTarget;
  readonly config: Target;
}

/** The command that restores an artifact without bkp, as it stands in the manifest. */
export function nativeCommand({ engine, target, config }: NativeTarget, artifact: ManifestArtifact): string {
  const decode =
    artifact.compression === null ? `cat ${artifact.key}` : `${DECODERS[artifact.compression]} ${artifact.key}`;
  // References stay references: the command is for people, and manifests hold no secrets.
  const { name, format, key } = artifact;
  return engine.nativeRestore({ ...config, ...target.config }, { name, format, decode, file: key });
}
