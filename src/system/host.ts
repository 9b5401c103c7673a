import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import type { Host } from '../context.ts';
import { hasErrnoCode } from '../errors.ts';

/** Describes this process and machine, for leases and run records. */
export function describeHost(): Host {
  return {
    name: hostname(),
    bootId: readBootId(process.platform),
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
    cpus: availableParallelism(),
    node: process.version,
    isAlive,
  };
}

function readBootId(platform: NodeJS.Platform): string {
  try {
    // Two containers of one machine share its boot but not the meaning of process ids.
    if (platform === 'linux') {
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
    }
    if (platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
    }
  } catch {
    // An unknown boot id only makes a dead lease owner wait out its lease.
  }
  return '';
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrnoCode(error, 'ESRCH');
  }
}
