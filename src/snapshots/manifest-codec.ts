import { integrityError } from '../errors.ts';
import { validateManifest } from '../generated/validate-manifest.js';
import { checkKey, checkPrefix } from '../repositories/key.ts';
import { isInstant, parseDocument, writeDocument, type Parsed } from './document.ts';
import type { SnapshotRecord } from './inventory.ts';
import type { SnapshotName } from './keys.ts';
import { bytesRaw, bytesStored, MANIFEST_FORMAT, type Manifest } from './manifest.ts';
import { manifestSigner } from './signature.ts';

/** The manifest's slim form: what planning needs and the catalog keeps. */
export type ManifestRecord = Omit<SnapshotRecord, 'marks' | 'folderPresent' | 'unsigned'>;

/** The bytes of a manifest. Throws when it is not one, which is a bug: nothing invalid is ever stored. */
export function writeManifest(manifest: Manifest): Buffer {
  const bytes = writeDocument(manifest);
  const parsed = parseManifest(bytes, manifest);
  if (!parsed.ok)
    throw integrityError(`cannot write the manifest of ${manifest.backup}@${manifest.id}: ${parsed.message}`);
  return bytes;
}

/** Reads the manifest stored under the name of a snapshot; whatever is wrong with it is told, never thrown. */
export function parseManifest(bytes: Uint8Array, name: SnapshotName): Parsed<Manifest> {
  return parseDocument(bytes, MANIFEST_FORMAT, ({ all }) => {
    const value: unknown = all;
    if (!validateManifest(value)) throw new Error(describeFirst(validateManifest.errors ?? []));
    assertSound(value, name);
    return value;
  });
}

function describeFirst(errors: readonly { readonly instancePath: string; readonly message?: string }[]): string {
  const first = errors[0];
  return first === undefined
    ? 'it does not fit the schema'
    : `${first.instancePath} ${first.message ?? 'is wrong'}`.trim();
}

/** What the schema cannot say. */
function assertSound(manifest: Manifest, name: SnapshotName): void {
  if (manifest.backup !== name.backup || manifest.id !== name.id) {
    throw new Error(`it is the manifest of ${manifest.backup}@${manifest.id}`);
  }
  for (const time of [
    manifest.startedAt,
    manifest.finishedAt,
    manifest.tick ?? manifest.startedAt,
    manifest.lockedUntil ?? manifest.startedAt,
  ]) {
    if (!isInstant(time)) throw new Error(`${time} is not a time`);
  }
  if (!manifest.id.startsWith(manifest.startedAt.slice(0, 19).replace(/[-:]/g, ''))) {
    throw new Error('`startedAt` is not the time in its id');
  }
  const targets = Object.values(manifest.targets);
  const isWhole = targets.every((target) => target.status === 'captured');
  if (isWhole !== (manifest.status === 'created')) throw new Error('`status` does not agree with its targets');
  if (targets.some((target) => target.status === 'captured' && target.artifacts.length === 0)) {
    throw new Error('a captured target has no artifact');
  }
  const isEncrypted = manifest.encryption !== undefined;
  const artifacts = targets.flatMap((target) => target.artifacts);
  if (artifacts.some((artifact) => (artifact.encryption !== null) !== isEncrypted)) {
    throw new Error('`encryption` does not agree with its artifacts');
  }
  assertKeys(artifactKeys(manifest));
}

/** Keys of all artifacts, below the snapshot's folder; one that ends with a slash stands for all that lies below it. */
export const artifactKeys = ({ targets }: Pick<Manifest, 'targets'>): readonly string[] =>
  Object.values(targets).flatMap((target) =>
    target.artifacts.flatMap(({ key, folder }) => (folder === undefined ? [key] : [folder.key, key])),
  );

/** Artifact keys stay below their snapshot's folder and are not its begin.json. */
export function assertKeys(keys: readonly string[]): void {
  if (new Set(keys).size !== keys.length) throw new Error('two artifacts have the same key');
  for (const key of keys) {
    if (key.endsWith('/')) checkPrefix(key);
    else checkKey(key);
    if (key === 'begin.json') throw new Error('an artifact has the key begin.json');
  }
}

/** The slim form of a manifest. */
export function slimManifest(manifest: Manifest): ManifestRecord {
  const artifacts = Object.values(manifest.targets).flatMap((target) => target.artifacts);
  const { backup, id, policy, kind, status, tick, startedAt, finishedAt, definitionSha256 } = manifest;
  return {
    backup,
    id,
    policy,
    kind,
    status,
    tick,
    startedAt,
    finishedAt,
    definitionSha256,
    targets: Object.fromEntries(Object.entries(manifest.targets).map(([target, { status: how }]) => [target, how])),
    protect: manifest.protect,
    sizeBytes: artifacts.reduce((sum, artifact) => sum + (bytesRaw(artifact) ?? artifact.storedBytes), 0),
    storedBytes: artifacts.reduce((sum, artifact) => sum + bytesStored(artifact), 0),
    ...(manifest.lockedUntil === undefined ? {} : { lockedUntil: manifest.lockedUntil }),
    ...(manifest.encryption === undefined ? {} : { recipients: manifest.encryption.recipients }),
    ...referencesOf(manifest),
    ...(artifacts.some(({ folder }) => folder !== undefined) ? { listsFiles: true as const } : {}),
    ...(manifest.signature === undefined ? {} : { signedBy: manifestSigner(manifest) ?? null }),
  };
}

function referencesOf({ targets }: Manifest): Pick<ManifestRecord, 'references'> {
  const references = Object.entries(targets).flatMap(([target, { references: left = [] }]) =>
    left.map((reference) => ({ target, ...reference })),
  );
  return references.length === 0 ? {} : { references };
}
