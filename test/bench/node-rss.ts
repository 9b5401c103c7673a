import { readFileSync, readlinkSync, realpathSync } from 'node:fs';

const EVERY_MS = 40;
const NODE = realpathSync(process.execPath);

/** Watches the high-water mark of every Node process below a process. `stop` gives the largest, in MiB. */
export function watchNodeRss(pid: number): { stop(): number | null } {
  let largest: number | null = null;
  const timer = setInterval(() => {
    for (const one of familyOf(pid)) {
      const kib = highWaterMark(one);
      if (kib !== null) largest = Math.max(largest ?? 0, kib / 1024);
    }
  }, EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return largest;
    },
  };
}

function familyOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => familyOf(Number(child))))];
  } catch {
    return [];
  }
}

function highWaterMark(pid: number): number | null {
  try {
    if (readlinkSync(`/proc/${pid}/exe`) !== NODE) return null;
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return null;
  }
}
