import { readFileSync } from 'node:fs';
import type { Context } from '../../context.ts';
import { type ByteName, folderOf, fromText } from './byte-name.ts';

/** Where file systems are mounted on this machine, by real path. */
export interface Mounts {
  isMountPoint(path: ByteName): boolean;
  /** True when something is mounted below a folder, at any depth. */
  hasMountBelow(folder: ByteName): boolean;
  /** The mount point that a path belongs to: a rename works within one, not between two. */
  mountOf(path: ByteName): ByteName;
}

export async function readMounts(context: Context): Promise<Mounts> {
  const points = context.host.platform === 'linux' ? linuxMounts() : await listedMounts(context);
  return {
    isMountPoint: (path) => points.has(path),
    hasMountBelow: (folder) => {
      const prefix = folder.endsWith('/') ? folder : `${folder}/`;
      for (const point of points) if (point !== folder && point.startsWith(prefix)) return true;
      return false;
    },
    mountOf(path) {
      for (let at = path; at !== '' && at !== '/'; at = folderOf(at)) if (points.has(at)) return at;
      return '/';
    },
  };
}

/** Field 5 of each line, with blanks and backslashes written as octal numbers. */
export function parseMountInfo(text: string): ReadonlySet<ByteName> {
  const points = text.split('\n').map((line) => line.split(' ')[4] ?? '');
  const unescape = (point: string): string =>
    point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return new Set(points.filter((point) => point !== '').map(unescape));
}

const linuxMounts = (): ReadonlySet<ByteName> => parseMountInfo(readFileSync('/proc/self/mountinfo', 'latin1'));

/** Lines like `/dev/disk3s5 on /System/Volumes/Data (apfs, local)`. */
async function listedMounts(context: Context): Promise<ReadonlySet<ByteName>> {
  const { stdout } = await context.run({ argv: ['mount'] });
  const points = stdout.split('\n').map((line) => / on (\/.*) \(/.exec(line)?.[1] ?? '');
  return new Set(points.filter((point) => point !== '').map(fromText));
}
