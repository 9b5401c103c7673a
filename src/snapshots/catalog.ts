import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { PACK_VERSION, packPart, unpackPart, type CatalogPart, type PackedPart } from './catalog-part.ts';

/**
 * A local cache of what repositories hold: never the truth, rebuilt from the repository whenever it is missing, cut,
 * damaged or of another version. It may be deleted at any time, also while it is used; of two writers the later wins.
 * Failing to write it is no error.
 */
export interface Catalog {
  /** The backups of which something is known, in any order. */
  backups(repositoryId: string): readonly string[];
  load(repositoryId: string, backup: string): CatalogPart | undefined;
  save(repositoryId: string, backup: string, part: CatalogPart): void;
  /** The id of the repository that was last seen at a location. */
  rememberedId(location: string): string | undefined;
  rememberId(location: string, repositoryId: string): void;
}

const LOCATION_VERSION = 2;
const PART = /^(.*)\.json$/;

/** Opens the catalog in a folder, which is made at the first write. */
export function openCatalog(folder: string): Catalog {
  const partsPath = (repositoryId: string): string => join(folder, `catalog-${PACK_VERSION}`, hashOf(repositoryId));
  const partPath = (repositoryId: string, backup: string): string => join(partsPath(repositoryId), `${backup}.json`);
  const locationPath = (location: string): string =>
    join(folder, `locations-${LOCATION_VERSION}`, `${hashOf(location)}.json`);
  const idAt = (location: string): string | undefined => {
    const seen = readSealed(locationPath(location)) as { readonly repositoryId?: unknown } | undefined;
    return typeof seen?.repositoryId === 'string' ? seen.repositoryId : undefined;
  };
  return {
    backups: (repositoryId) => {
      try {
        return readdirSync(partsPath(repositoryId)).flatMap((name) => (PART.exec(name) ?? []).slice(1));
      } catch {
        return [];
      }
    },
    load: (repositoryId, backup) => {
      const packed = readSealed(partPath(repositoryId, backup)) as PackedPart | undefined;
      try {
        return packed && unpackPart(backup, packed);
      } catch {
        return undefined;
      }
    },
    save: (repositoryId, backup, part) => writeSealed(partPath(repositoryId, backup), packPart(part)),
    rememberedId: idAt,
    rememberId: (location, repositoryId) => {
      if (idAt(location) !== repositoryId) writeSealed(locationPath(location), { location, repositoryId });
    },
  };
}

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
