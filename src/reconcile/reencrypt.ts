import type { Context } from '../context.ts';
import { areSameRecipients } from '../encryption/recipient.ts';
import { BkpError, guardError } from '../errors.ts';
import type { Repository } from '../repositories/repository.ts';
import { snapshotFolder } from '../snapshots/keys.ts';
import type { Arrival } from '../snapshots/arrivals.ts';
import type { Manifest, ManifestArtifact, ManifestTarget } from '../snapshots/manifest.ts';
import type { SnapshotDraft } from '../snapshots/snapshot-draft.ts';
import { verifyStored } from '../streams/hash-stored.ts';
import { openArtifact } from '../streams/open-artifact.ts';
import { storeArtifact, type StoredArtifact } from '../streams/store-artifact.ts';
import { type ArtifactPlace, DamagedSource, hasArrived } from './copy-artifact.ts';
import { encryptableKey } from './encryptable-key.ts';
import type { WantedEncryption } from './encryption-of.ts';
import { decodeCommand } from './native-command.ts';
import { sealManifest, unsealManifest } from './seal-manifest.ts';

/** True where the stored bytes of a snapshot are as a repository wants them, so that they are copied as they are. */
export const isStoredFor = ({ encryption }: Manifest, wanted: WantedEncryption | null): boolean =>
  areSameRecipients(encryption?.recipients ?? [], wanted?.recipients ?? []);

export interface Reencryption {
  readonly from: { readonly repository: Repository; readonly backup: string; readonly manifest: Manifest };
  readonly to: { readonly repository: Repository; readonly draft: SnapshotDraft };
  readonly wanted: WantedEncryption | null;
}

/**
 * Stores the artifacts of a snapshot for other readers: the compressed bytes stay as they are. Returns the manifest to
 * commit. What an earlier try brought whole stays. Throws `usage` before anything is written when they must be decrypted and no identity fits, `DamagedSource`
 * when they are not what their manifest says.
 */
export async function reencryptSnapshot({ from, to, wanted }: Reencryption, context: Context): Promise<Manifest> {
  const { encryption: _before, ...whole } = await unsealManifest(from.manifest, context);
  const listing = Object.values(whole.targets).flatMap((target) => target.artifacts.filter((one) => one.folder));
  if (listing[0] !== undefined)
    throw guardError(`cannot encrypt ${listing[0].key}: its files are stored as they are`, {
      hint: 'keep its backup in repositories without encryption, or let it go: `bkp destroy`',
    });
  const folder = snapshotFolder(from.backup, whole.id);
  const targets: [string, ManifestTarget][] = [];
  for (const [name, target] of Object.entries(whole.targets)) {
    const artifacts: ManifestArtifact[] = [];
    for (const [index, artifact] of target.artifacts.entries()) {
      const extension = artifact.key.replace(/(?:\.(?:zst|gz))?(?:\.age)?$/, '').replace(/^.*\./s, '');
      const { name: part, compression } = artifact;
      const key = encryptableKey({ target: name, name: part, extension, compression }, index, wanted);
      const place = { repository: from.repository, folder, artifact };
      const { storedBytes, storedSha256, ...stored } =
        (await arrivedAs(key, to, wanted, context)) ?? (await reencryptAndNote(place, to, key, wanted, context));
      const encryption = wanted === null ? null : 'age';
      artifacts.push({ ...artifact, key: stored.key, encryption, storedBytes, storedSha256 });
    }
    targets.push([name, { ...target, artifacts, restore: commandsFor(target, artifacts) }]);
  }
  return sealManifest({ ...whole, targets: Object.fromEntries(targets) }, wanted, context);
}

/** What an earlier try stored in the place of an artifact, for the same readers, and is still there as it was. */
async function arrivedAs(
  as: string,
  { repository, draft }: Reencryption['to'],
  wanted: WantedEncryption | null,
  context: Context,
): Promise<Arrival | undefined> {
  const folder = snapshotFolder(draft.backup, draft.id);
  const recipients = wanted?.recipients ?? [];
  for (const arrival of draft.arrived.toReversed()) {
    if (arrival.as !== as || !areSameRecipients(arrival.recipients, recipients)) continue;
    if (await hasArrived({ repository, folder, artifact: arrival }, context)) return arrival;
  }
  return undefined;
}

async function reencryptAndNote(
  from: ArtifactPlace,
  to: Reencryption['to'],
  as: string,
  wanted: WantedEncryption | null,
  context: Context,
): Promise<Arrival> {
  const arrival = await reencryptArtifact(from, to, as, wanted, context);
  await to.draft.noteArrival(arrival);
  return arrival;
}

/** Where an artifact goes: below the prefix of its draft, announced first. */
interface Destination {
  readonly repository: Repository;
  readonly draft: Pick<SnapshotDraft, 'prefix' | 'addKey'>;
}

/** Stores one artifact for other readers under a new key, and looks at what came of it. Throws `DamagedSource`. */
export async function reencryptArtifact(
  from: ArtifactPlace,
  to: Destination,
  as: string,
  wanted: WantedEncryption | null,
  context: Context,
): Promise<Arrival> {
  const { repository, artifact, folder } = from;
  const place = { repository, key: folder + artifact.key };
  await verifyStored(artifact, place, context).catch((error: unknown) => {
    if (error instanceof BkpError && (error.code === 'integrity' || error.code === 'not-found'))
      throw new DamagedSource(artifact.key, error);
    throw error;
  });
  const key = to.draft.prefix + as;
  const repositoryKey = await to.draft.addKey(key);
  const stored: StoredArtifact[] = [];
  await openArtifact({ ...artifact, compression: null, rawBytes: null }, place, context).into({
    kind: 'reader',
    read: async (compressed) => {
      const request = {
        artifact: { source: { kind: 'stream' as const, open: () => compressed } },
        compression: { method: 'none' as const, level: 0 },
        recipients: wanted?.recipients,
        threads: 1,
        repository: to.repository,
        key: repositoryKey,
      };
      stored.push(await storeArtifact(request, context));
    },
  });
  const [result] = stored;
  if (result === undefined) throw new Error('nothing was stored');
  const { storedBytes, storedSha256 } = result;
  await verifyStored(result, { repository: to.repository, key: repositoryKey }, context);
  return { as, key, recipients: wanted?.recipients ?? [], storedBytes, storedSha256 };
}

/** The native commands with what decodes the new artifacts in the place of what decoded the old ones. */
function commandsFor(
  { restore, artifacts: before }: ManifestTarget,
  after: readonly ManifestArtifact[],
): readonly string[] {
  return restore.map((command) =>
    before.reduce((text, artifact, index) => {
      const now = after[index];
      return now === undefined ? text : text.replace(decodeCommand(artifact), () => decodeCommand(now));
    }, command),
  );
}
