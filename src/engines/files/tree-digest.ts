import { hash } from 'node:crypto';
import { createContentPages } from './content-pages.ts';
import { createChecksumSink, createHashSink, type HashSink } from './hash-sink.ts';
import type { TarEntry } from './tar-entry.ts';

/**
 * What is compared of a tree, in parts, so that a comparison can say what differs: names, types, permissions, bytes and
 * link targets; owners (with the set-id bits, which go when an owner cannot be kept); times; attributes that a user may
 * set; attributes that only root may set.
 */
export const DIGEST_PARTS = ['content', 'owners', 'times', 'attributes', 'privileged'] as const;
export type DigestPart = (typeof DIGEST_PARTS)[number];
export type PartDigests = Readonly<Record<DigestPart, string>>;

/** Sums up a tree entry by entry. The order counts: captures are sorted by name, comparisons keep the archive's order. */
export interface TreeDigest {
  data(chunk: Buffer, offset: number): void;
  /** After its data. */
  end(entry: TarEntry): void;
  /** Call it once, at the end. */
  parts(): PartDigests;
}

export function createTreeDigest(): TreeDigest {
  const sinks: Readonly<Record<DigestPart | 'bytes', HashSink>> = {
    content: createHashSink(),
    bytes: createChecksumSink(),
    owners: createHashSink(),
    times: createHashSink(),
    attributes: createHashSink(),
    privileged: createHashSink(),
  };
  const pages = createContentPages({
    pages: (bytes) => sinks.bytes.bytes(bytes),
    gap: (start, count) => sinks.content.text(`\0${start} ${count}\n`),
  });
  return {
    data: (chunk, offset) => pages.update(chunk, offset),
    end(entry) {
      const { name, type, size, target } = entry;
      if (type === 'link') {
        // All else belongs to the file that it is another name of.
        sinks.content.text(`${name}\0link\0${target}\0\n`);
        return;
      }
      if (type === 'file') pages.finish(size);
      const isDevice = type === 'block' || type === 'character';
      const device = isDevice ? `${entry.deviceMajor}:${entry.deviceMinor}` : '';
      // A symlink's own permissions mean nothing and differ between systems.
      const mode = type === 'symlink' ? 0 : entry.mode;
      sinks.content.text(`${name}\0${type}\0${(mode & 0o1777).toString(8)}\0${size}\0${target}\0${device}\0\n`);
      sinks.owners.text(`${name}\0${entry.uid}:${entry.gid}:${mode & 0o6000}\n`);
      sinks.times.text(`${name}\0${entry.mtime}\n`);
      if (entry.attributes.length > 0) addAttributes(sinks, entry);
    },
    parts: () => ({
      content: hash('sha256', `${sinks.content.digest()} ${sinks.bytes.digest()}`),
      owners: sinks.owners.digest(),
      times: sinks.times.digest(),
      attributes: sinks.attributes.digest(),
      privileged: sinks.privileged.digest(),
    }),
  };
}

/** One text for all parts; its prefix changes with the way it is computed. */
export const wholeDigest = (parts: PartDigests): string =>
  `tree1:${hash('sha256', DIGEST_PARTS.map((part) => parts[part]).join(' '))}`;

const XATTR = 'SCHILY.xattr.';

/** True where ACLs stand only in their text form, which names users; the binary form beside it holds numbers. */
export function hasTextAclOnly(entry: TarEntry): boolean {
  return (
    entry.attributes.some(([key]) => key.startsWith('SCHILY.acl.')) &&
    !entry.attributes.some(([key]) => key.startsWith(`${XATTR}system.posix_acl_`))
  );
}

/** True for an attribute that only root may set. */
const isPrivileged = (key: string): boolean =>
  key.startsWith('RHT.') || (key.startsWith(XATTR) && !/^(?:user\.|system\.posix_acl_)/.test(key.slice(XATTR.length)));

function addAttributes(sinks: Readonly<Record<DigestPart, HashSink>>, entry: TarEntry): void {
  const withText = hasTextAclOnly(entry);
  const sorted = entry.attributes.toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of sorted) {
    if (key.startsWith('LIBARCHIVE.') || (key.startsWith('SCHILY.acl.') && !withText)) continue;
    const sink = isPrivileged(key) ? sinks.privileged : sinks.attributes;
    sink.text(`${entry.name}\0${key}\0${value.length}\0${value}\n`);
  }
}
