import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import type { Host } from '../context.ts';

/** Describes this process and machine, for leases and run records. */
export function describeHost(): Host {
  return {
    name: hostname(),
    bootId: readBootId(process.platform),
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    platform: process.platform,
    cpus: availableParallelism(),
  };
}

function readBootId(platform: NodeJS.Platform): string {
  try {
    if (platform === 'linux') return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    if (platform === 'darwin') {
      return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();
    }
  } catch {
    // An unknown boot id only makes a dead lease owner wait out its lease.
  }
  return '';
}
