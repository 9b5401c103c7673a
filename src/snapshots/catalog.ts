import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { MarkRecord } from './inventory.ts';
import { packManifests, unpackManifests, type CachedManifest, type PackedManifests } from './pack-manifests.ts';
import type { CachedRecord } from './read-records.ts';
import type { RunRecord } from './run-record.ts';

/** What was read of one backup in one repository. */
export interface CatalogPart {
  /** By snapshot id. */
  readonly manifests: ReadonlyMap<string, CachedManifest>;
  /** By repository key. */
  readonly marks: ReadonlyMap<string, CachedRecord<MarkRecord>>;
  /** By run id. */
  readonly runs: ReadonlyMap<string, CachedRecord<RunRecord>>;
}

/**
 * A local cache of what repositories hold: never the truth, rebuilt from the repository whenever it is missing, cut,
 * damaged or of another version. It may be deleted at any time, also while it is used; of two writers the later wins.
 * Failing to write it is no error.
 */
export interface Catalog {
  load(repositoryId: string, backup: string): CatalogPart | undefined;
  save(repositoryId: string, backup: string, part: CatalogPart): void;
  /** The id of the repository that was last seen at a location. */
  rememberedId(location: string): string | undefined;
  rememberId(location: string, repositoryId: string): void;
}

/** Changes when the form of the files below does; files of another version are rebuilt. */
const VERSION = 4;

/** Opens the catalog in a folder, which is made at the first write. */
export function openCatalog(folder: string): Catalog {
  const partPath = (repositoryId: string, backup: string): string =>
    join(folder, `catalog-${VERSION}`, hashOf(repositoryId), `${backup}.json`);
  const locationPath = (location: string): string => join(folder, `locations-${VERSION}`, `${hashOf(location)}.json`);
  const idAt = (location: string): string | undefined => {
    const seen = readSealed(locationPath(location)) as { readonly repositoryId?: unknown } | undefined;
    return typeof seen?.repositoryId === 'string' ? seen.repositoryId : undefined;
  };
  return {
    load: (repositoryId, backup) => {
      const packed = readSealed(partPath(repositoryId, backup)) as PackedPart | undefined;
      try {
        return packed && unpack(backup, packed);
      } catch {
        return undefined;
      }
    },
    save: (repositoryId, backup, part) => writeSealed(partPath(repositoryId, backup), pack(part)),
    rememberedId: idAt,
    rememberId: (location, repositoryId) => {
      if (idAt(location) !== repositoryId) writeSealed(locationPath(location), { location, repositoryId });
    },
  };
}

interface PackedPart {
  readonly manifests: PackedManifests;
  readonly marks: readonly (readonly [string, CachedRecord<MarkRecord>])[];
  readonly runs: readonly (readonly [string, CachedRecord<RunRecord>])[];
}

const pack = ({ manifests, marks, runs }: CatalogPart): PackedPart => ({
  manifests: packManifests(manifests),
  marks: [...marks],
  runs: [...runs],
});

const unpack = (backup: string, { manifests, marks, runs }: PackedPart): CatalogPart => ({
  manifests: unpackManifests(backup, manifests),
  marks: new Map(marks),
  runs: new Map(runs),
});

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

/** A checksum line, then JSON: a file that is cut or damaged is as good as none. */
function readSealed(path: string): unknown {
  try {
    const bytes = readFileSync(path);
    const body = bytes.subarray(9);
    if (bytes.toString('latin1', 0, 9) !== sealOf(body)) return undefined;
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function writeSealed(path: string, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, Buffer.concat([Buffer.from(sealOf(body), 'latin1'), body]), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch {
    discard(temporary);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Where nothing can be written there is nothing to remove.
  }
}

const sealOf = (body: Uint8Array): string => `${crc32(body).toString(16).padStart(8, '0')}\n`;
