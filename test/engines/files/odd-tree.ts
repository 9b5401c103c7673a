import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  openSync,
  closeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeArchive } from './archives.ts';

/** A sparse file of more than 8 GiB, with bytes in the middle. */
export const HUGE_BYTES: number = 9 * 1024 ** 3;

/** Lets the test's folder be removed, whatever modes are in it: what is registered last runs first. */
export function unlockAtEnd(testFolder: string): void {
  onTestFinished(() => {
    execFileSync('chmod', ['-R', 'u+rwX', testFolder]);
  });
}

/** Makes a tree with everything that a file system may hold and an ordinary user may make. */
export async function makeOddTree(base: string): Promise<void> {
  unlockAtEnd(base.replace(/(\/bkp-test-[^/]+).*/, '$1'));
  mkdirSync(join(base, 'folder/deep'), { recursive: true });
  mkdirSync(join(base, 'empty'));
  writeFileSync(join(base, 'folder/plain'), 'plain\n');
  writeFileSync(join(base, 'folder/deep/large'), Buffer.alloc(200_000, 'large'));
  writeFileSync(join(base, 'no-bytes'), '');
  writeFileSync(join(base, 'ünïcödé-日本'), 'unicode');
  writeFileSync(join(base, 'l'.repeat(240)), 'long');
  writeFileSync(join(base, 'new\nline'), 'newline');
  writeFileSync(join(base, '--checkpoint-action=exec=false'), 'an option?');
  writeFileSync(join(base, '*[glob]?'), 'a pattern?');
  writeFileSync(join(base, String.raw`back\nslash\101`), 'an escape?');
  writeFileSync(Buffer.concat([Buffer.from(`${base}/`), Buffer.from('626164fffe', 'hex')]), 'not UTF-8');
  linkSync(join(base, 'folder/plain'), join(base, 'folder/twin'));
  linkSync(join(base, 'folder/plain'), join(base, 'a-third'));
  symlinkSync('folder/plain', join(base, 'to-file'));
  symlinkSync('../../../outside', join(base, 'to-outside'));
  symlinkSync('/etc/passwd', join(base, 'to-absolute'));
  symlinkSync('nowhere', join(base, 'dangling'));
  execFileSync('mkfifo', ['-m', '640', join(base, 'pipe')]);
  writeFileSync(join(base, 'set-id'), 'set-id');
  chmodSync(join(base, 'set-id'), 0o4751);
  mkdirSync(join(base, 'sticky'));
  chmodSync(join(base, 'sticky'), 0o1777);
  writeFileSync(join(base, 'read-only'), 'read-only');
  chmodSync(join(base, 'read-only'), 0o444);
  mkdirSync(join(base, 'locked'));
  writeFileSync(join(base, 'locked/inside'), 'inside');
  const huge = openSync(join(base, 'huge'), 'w');
  writeSync(huge, 'middle', HUGE_BYTES / 2);
  closeSync(huge);
  truncateSync(join(base, 'huge'), HUGE_BYTES);
  await addAttributes(base);
  chmodSync(join(base, 'locked'), 0o555);
  for (const [name, time] of [
    ['folder/plain', '2021-02-03T04:05:06.123456789Z'],
    ['to-file', '2020-01-01T00:00:00.000000001Z'],
    ['empty', '2001-01-01T00:00:00.5Z'],
    ['folder', '2002-02-02T02:02:02.222222222Z'],
  ] as const) {
    execFileSync('touch', ['-h', '-d', time, join(base, name)]);
  }
}

/** Extended attributes (binary ones too) and ACLs, set the way every machine with tar can: out of an archive. */
export async function addAttributes(base: string): Promise<void> {
  const archive = await makeArchive(
    {
      name: 'attributes',
      content: 'attributes',
      pax: { 'SCHILY.xattr.user.colour': 'blue', 'SCHILY.xattr.user.blank': '', 'SCHILY.xattr.user.lines': 'a\nb=c' },
    },
    {
      name: 'acl',
      type: 'directory',
      mode: 0o750,
      pax: {
        'SCHILY.acl.access': 'user::rwx,user:12345:r-x,group::r-x,mask::r-x,other::---',
        'SCHILY.acl.default': 'user::rwx,user:12345:r-x,group::r-x,mask::r-x,other::---',
      },
    },
  );
  const options = ['--xattrs', '--acls', '-p', '--no-same-owner', '-C', base];
  execFileSync('tar', ['-x', '-f', '-', ...options], { input: archive, stdio: ['pipe', 'ignore', 'inherit'] });
}

/** A listening socket; `close` ends it and takes its file away. */
export async function makeSocket(path: string): Promise<() => Promise<void>> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return () => new Promise((resolve) => server.close(() => resolve()));
}
