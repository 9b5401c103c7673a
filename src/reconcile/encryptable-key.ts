import { artifactKey, type ArtifactName } from '../snapshots/keys.ts';
import type { WantedEncryption } from './encryption-of.ts';
import { openName } from './seal-manifest.ts';

/** The key of an artifact below its snapshot's folder. Where its name is a secret, its number stands for it. */
export const encryptableKey = (
  { target, name, extension, compression }: ArtifactName,
  index: number,
  encryption: WantedEncryption | null,
): string =>
  artifactKey({
    target,
    name: encryption?.sealsManifest === true ? openName(name, index) : name,
    extension,
    compression,
    isEncrypted: encryption !== null,
  });
