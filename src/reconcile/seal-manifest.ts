import type { Context } from '../context.ts';
import { sealText, unsealText } from '../encryption/seal.ts';
import { integrityError, reasonOf } from '../errors.ts';
import type { Manifest, ManifestTarget } from '../snapshots/manifest.ts';
import { renameKeys } from '../snapshots/move-keys.ts';
import { parseManifest, writeManifest } from '../snapshots/manifest-codec.ts';
import type { WantedEncryption } from './encryption-of.ts';

/** What the open part of a target leaves out. */
interface SealedTarget extends Pick<ManifestTarget, 'facts' | 'warnings' | 'restore'> {
  /** By the number that stands for its name in the open part: the name of an artifact, and the key in the commands. */
  readonly artifacts: Readonly<Record<string, { readonly name: string; readonly key: string }>>;
}

/**
 * The manifest as it is stored: what tells of the content encrypted to the recipients. All that planning, verifying
 * bytes and `previous` need stays open.
 */
export async function sealManifest(
  manifest: Manifest,
  wanted: WantedEncryption | null,
  context: Context,
): Promise<Manifest> {
  if (wanted === null) return manifest;
  const { recipients, sealsManifest } = wanted;
  const entries = sealsManifest ? Object.entries(manifest.targets) : [];
  const hidden = Object.fromEntries(entries.map(([name, target]) => [name, hiddenOf(target)]));
  const sealed = await sealText(JSON.stringify({ targets: hidden }), recipients, context);
  const open = Object.fromEntries(entries.map(([name, target]) => [name, openOf(target)]));
  return {
    ...manifest,
    targets: sealsManifest ? open : manifest.targets,
    encryption: { method: 'age', recipients, manifest: sealsManifest ? 'sealed' : 'open', sealed },
  };
}

/**
 * The whole manifest, opened with the identities of the run; one that is not encrypted is given back as it is. Throws
 * `usage`, naming the recipients, when no identity fits, and `integrity` when the sealed part is damaged.
 */
export async function unsealManifest(manifest: Manifest, context: Context): Promise<Manifest> {
  const { encryption, backup, id } = manifest;
  if (encryption === undefined) return manifest;
  const subject = `${backup}@${id}`;
  const text = await unsealText(encryption.sealed, { subject, recipients: encryption.recipients }, context);
  try {
    const { targets: hidden } = JSON.parse(text) as { readonly targets: Readonly<Record<string, SealedTarget>> };
    const targets = Object.entries(manifest.targets).map(([name, target]) => {
      const part = hidden[name];
      return [name, part === undefined ? target : wholeOf(target, part)] as const;
    });
    const whole: Manifest = {
      ...manifest,
      targets: Object.fromEntries(targets),
      encryption: { ...encryption, manifest: 'open' },
    };
    const parsed = parseManifest(writeManifest(whole), manifest);
    if (!parsed.ok) throw new Error(parsed.message);
    return whole;
  } catch (error) {
    throw integrityError(`cannot read the sealed part of ${subject}: ${reasonOf(error)}`, { cause: error });
  }
}

/** True while a part of the manifest can be read with an identity only. */
export const isSealed = ({ encryption }: Manifest): boolean => encryption?.manifest === 'sealed';

/** Several artifacts are databases, whose names the commands tell too. */
const tellsNames = ({ artifacts }: ManifestTarget): boolean => artifacts.some(({ name }) => name !== '');

const hiddenOf = (target: ManifestTarget): SealedTarget => ({
  facts: target.facts,
  warnings: target.warnings,
  restore: tellsNames(target) ? target.restore : [],
  artifacts: Object.fromEntries(
    target.artifacts.flatMap(({ name, key }, index) => (name === '' ? [] : [[openName(name, index), { name, key }]])),
  ),
});

const openOf = (target: ManifestTarget): ManifestTarget => ({
  ...target,
  facts: {},
  warnings: [],
  restore: tellsNames(target) ? [] : target.restore,
  artifacts: target.artifacts.map((artifact, index) => ({ ...artifact, name: openName(artifact.name, index) })),
});

/** What stands for the name of an artifact where names are secret; the single artifact of a target has none. */
export const openName = (name: string, index: number): string => (name === '' ? '' : String(index + 1));

function wholeOf(target: ManifestTarget, { facts, warnings, restore, artifacts }: SealedTarget): ManifestTarget {
  // A copy may have other keys than the snapshot that was sealed.
  const keys = new Map(target.artifacts.map(({ name, key }) => [artifacts[name]?.key, key]));
  return {
    ...target,
    facts,
    warnings,
    restore: tellsNames(target) ? renameKeys(restore, keys) : target.restore,
    artifacts: target.artifacts.map((artifact) => ({
      ...artifact,
      name: artifacts[artifact.name]?.name ?? artifact.name,
    })),
  };
}
