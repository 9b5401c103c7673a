import { hash } from 'node:crypto';
import type { Context } from '../context.ts';
import type { Repository } from '../repositories/repository.ts';
import type { Parsed } from './document.ts';
import { readIfPresent } from './identity.ts';
import { isCleaning, type Begin } from './begin.ts';
import type { MarkRecord, SnapshotRecord } from './inventory.ts';
import { manifestKey, snapshotFolder, type SnapshotName } from './keys.ts';
import { firstVersion, isThere, keptVersions, versionsOfKey } from './kept-versions.ts';
import { CLEANED, type Manifest } from './manifest.ts';
import { artifactKeys, parseManifest, slimManifest } from './manifest-codec.ts';
import { marksAbout, readMarks, type StoredMark } from './marks.ts';
import { readBegin } from './remove-remains.ts';
import { trustedIn, unsignedReason } from './trust.ts';

/** One snapshot as it stands in a repository now. */
export interface StoredSnapshot {
  readonly manifest: Manifest;
  /** Of the bytes of the manifest, in hex. */
  readonly sha256: string;
  readonly marks: readonly StoredMark[];
  /** With a cleaning that is under way as if it had its mark already: nothing may rest on such a snapshot. */
  readonly record: SnapshotRecord;
}

/** Reads a manifest itself, never the catalog; undefined when there is none. */
export async function readManifest(repository: Repository, name: SnapshotName): Promise<Parsed<Manifest> | undefined> {
  const bytes = await readUnchanging(repository, manifestKey(name.backup, name.id));
  return bytes && parseManifest(bytes, name);
}

/** A manifest as it was first written, whatever somebody wrote over it. */
async function readUnchanging(repository: Repository, key: string): Promise<Buffer | undefined> {
  const versions = await keptVersions(repository);
  if (versions === undefined) return readIfPresent(repository, key);
  const all = await versionsOfKey(versions, key);
  const first = firstVersion(all);
  if (first === undefined || !isThere(all)) return undefined;
  return first.isNewest ? readIfPresent(repository, key) : versions.read(key, first.version);
}

/**
 * The whole of one snapshot, judged anew: the signature is that of the bytes that are returned, never the catalog's.
 * Undefined when there is no manifest.
 */
export async function readSnapshot(
  repository: Repository,
  name: SnapshotName,
  context: Pick<Context, 'signing'>,
): Promise<Parsed<StoredSnapshot> | undefined> {
  const bytes = await readUnchanging(repository, manifestKey(name.backup, name.id));
  const parsed = bytes && parseManifest(bytes, name);
  if (bytes === undefined || parsed === undefined) return undefined;
  if (!parsed.ok) return parsed;
  const trusted = trustedIn(context);
  const keys = artifactKeys(parsed.value);
  const marks = marksAbout(await readMarks(repository, name, trusted), keys);
  const begin = await readBegin(repository, name);
  const folderPresent = (await repository.list(snapshotFolder(name.backup, name.id), 'shallow')).length > 0;
  const slim = slimManifest(parsed.value);
  const sha256 = hash('sha256', bytes, 'hex');
  const unsigned = unsignedReason({ signedBy: slim.signedBy, digest: sha256, marks }, trusted);
  const record: SnapshotRecord = {
    ...slim,
    marks: [...marks.map(({ kind, at, data }) => ({ kind, at, data })), ...markOfCleaning(begin, keys)],
    folderPresent,
    ...(unsigned === undefined ? {} : { unsigned }),
  };
  return { ok: true, value: { manifest: parsed.value, sha256, marks, record } };
}

const markOfCleaning = (begin: Begin | undefined, keys: readonly string[]): readonly MarkRecord[] =>
  begin === undefined || !isCleaning(begin, keys)
    ? []
    : [{ kind: 'released', at: begin.startedAt, data: { keys: begin.keys, reason: CLEANED, run: begin.owner.run } }];
