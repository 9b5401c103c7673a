import { hash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BkpError } from '../errors.ts';
import type { SigningKey } from '../signing/ed25519-key.ts';
import type { Repository } from '../repositories/repository.ts';
import { PACK_VERSION, packPart, unpackPart, type CatalogPart, type PackedPart } from './catalog-part.ts';
import { INDEX_KEY } from './keys.ts';
import { documentSigner, signDocument } from './signature.ts';
import { isSoundPart } from './sound-part.ts';
import type { TrustedKeys } from './trust.ts';

/** What the index of a repository tells, backup by backup. */
export interface SharedIndex {
  readonly backups: readonly string[];
  /** Undefined where it tells nothing that could be used. */
  load(backup: string): CatalogPart | undefined;
}

/** More than a repository of a million snapshots needs. */
const MOST_BYTES = 2 ** 30;
const LINE_END = 0x0a;

/**
 * The index of a repository: a line that tells whose it is, one line for each backup, and a last line with the hash of
 * what is above, signed where there is a key, all compressed. It tells what is open in manifests, marks and run records,
 * nothing else.
 */
export function writeSharedIndex(
  repositoryId: string,
  parts: ReadonlyMap<string, CatalogPart>,
  key?: SigningKey,
): Buffer {
  const lines = [
    { version: PACK_VERSION, repositoryId },
    ...Array.from(parts, ([backup, part]) => ({ backup, ...packPart({ ...part, unread: new Set() }) })),
  ].map((line) => Buffer.from(`${JSON.stringify(line)}\n`));
  const body = Buffer.concat(lines);
  const seal = { sha256: hash('sha256', body, 'hex') };
  const signed = key === undefined ? seal : signDocument(seal, { repositoryId, key: INDEX_KEY }, key);
  const end = Buffer.from(`${JSON.stringify(signed)}\n`);
  return zstdCompressSync(Buffer.concat([body, end]), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
}

/**
 * Opens an index; undefined when it is damaged, cut, of another version or of another repository, or not signed by one
 * whose signature counts: it tells who signed what.
 */
function openSharedIndex(
  content: Uint8Array,
  repositoryId: string,
  trusted: TrustedKeys = null,
): SharedIndex | undefined {
  try {
    const bytes = zstdDecompressSync(content, { maxOutputLength: MOST_BYTES });
    const lines = linesOf(bytes);
    const [head, last] = [lines[0], lines.at(-1)];
    if (head === undefined || last === undefined) return undefined;
    const about = JSON.parse(head.toString()) as { readonly version?: unknown; readonly repositoryId?: unknown };
    if (about.version !== PACK_VERSION || about.repositoryId !== repositoryId) return undefined;
    const body = bytes.subarray(0, bytes.length - last.length - 1);
    const seal = JSON.parse(last.toString()) as { readonly sha256?: unknown };
    if (seal.sha256 !== hash('sha256', body, 'hex')) return undefined;
    const signer = documentSigner(seal as Readonly<Record<string, unknown>>, { repositoryId, key: INDEX_KEY });
    if (trusted !== null && (typeof signer !== 'string' || !trusted.includes(signer))) return undefined;
    const parts = new Map(lines.slice(1, -1).map((line) => [backupOf(line), line]));
    return { backups: [...parts.keys()], load: (backup) => loadLine(backup, parts.get(backup)) };
  } catch {
    return undefined;
  }
}

/** Reads the index of a repository; one that is not there or cannot be read is none. */
export async function readSharedIndex(
  repository: Repository,
  repositoryId: string,
  trusted: TrustedKeys = null,
): Promise<SharedIndex | undefined> {
  try {
    return openSharedIndex(await repository.read(INDEX_KEY), repositoryId, trusted);
  } catch (error) {
    if (error instanceof BkpError && error.code !== 'interrupted') return undefined;
    throw error;
  }
}

function linesOf(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

/** The name stands first, so that a line of megabytes is parsed only when it is needed. */
const backupOf = (line: Buffer): string => /^\{"backup":"([a-z0-9-]+)"/.exec(line.toString('latin1', 0, 90))?.[1] ?? '';

function loadLine(backup: string, line: Buffer | undefined): CatalogPart | undefined {
  if (line === undefined) return undefined;
  try {
    const part = unpackPart(backup, JSON.parse(line.toString()) as PackedPart);
    return isSoundPart(backup, part) ? part : undefined;
  } catch {
    return undefined;
  }
}
