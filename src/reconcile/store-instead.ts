import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import { announceKey } from '../snapshots/announce-key.ts';
import type { Lease } from '../snapshots/held-lease.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { Manifest, ManifestArtifact } from '../snapshots/manifest.ts';
import type { Replacement } from '../snapshots/replacements.ts';
import type { ArtifactPlace } from './copy-artifact.ts';
import { reencryptArtifact } from './reencrypt.ts';

export interface Instead {
  /** The good one, in another repository. */
  readonly from: ArtifactPlace;
  /** The damaged one, as its snapshot knows it now. */
  readonly artifact: ManifestArtifact;
  readonly repository: Repository;
  /** Of the snapshot there. */
  readonly manifest: Manifest;
  readonly backup: string;
}

/**
 * Brings an artifact back as other bytes where those of the manifest are nowhere: decrypted where it is good, stored for
 * those who can read its snapshot, under a key of its own. A mark must tell of it.
 */
export async function storeInstead(
  { from, artifact, repository, manifest, backup }: Instead,
  lease: Lease,
  context: Context,
): Promise<Replacement> {
  const { id, policy, encryption } = manifest;
  const prefix = `copy~${lease.owner.run}/`;
  const recipients = encryption?.recipients;
  const { key, storedBytes, storedSha256 } = await reencryptArtifact(
    from,
    {
      repository,
      draft: {
        prefix,
        addKey: async (added) => {
          await announceKey(repository, { backup, id, policy }, added, lease, context.clock);
          return snapshotFolder(backup, id) + added;
        },
      },
    },
    artifact.key.replace(/^copy~[^/]*\//, ''),
    recipients === undefined ? null : { recipients, sealsManifest: encryption?.manifest === 'sealed' },
    context,
  );
  return { replaces: artifact.key, key, storedBytes, storedSha256 };
}
