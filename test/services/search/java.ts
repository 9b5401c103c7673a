import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const HOMES = '/usr/lib/jvm';

function versionOf(home: string): number {
  try {
    return Number(/JAVA_VERSION="(\d+)/.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The home of the oldest Java of the machine that is new enough, with its compiler. */
export function javaHome(oldest: number): string {
  const homes = [process.env['JAVA_HOME'] ?? '', ...readdirSync(HOMES).map((name) => join(HOMES, name))];
  const known = homes.map((home) => ({ home, version: versionOf(home) })).filter(({ version }) => version >= oldest);
  const [found] = known.toSorted((a, b) => a.version - b.version);
  if (found !== undefined) return found.home;
  throw new Error(`a search server needs a JDK ${oldest} or newer below ${HOMES} or in JAVA_HOME.`);
}
