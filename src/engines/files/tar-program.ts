import type { Context, ProcessSpec } from '../../context.ts';
import { toolError } from '../../errors.ts';
import type { ToolNeed } from '../engine.ts';

/** For `doctor`. */
export const TAR: ToolNeed = {
  tool: 'tar',
  versionArgv: ['tar', '--version'],
  debianPackage: 'tar',
  homebrewPackage: 'gnu-tar',
};

/** The system's tar. GNU tar and libarchive's bsdtar (macOS) take different options; `tar-argv.ts` knows them. */
export interface TarProgram {
  readonly flavour: 'gnu' | 'bsd';
  /** `GNU tar 1.34`. */
  readonly version: string;
}

const OLDEST_GNU = [1, 29] as const;

/** Finds out which tar this machine has. Throws `tool` when there is none that works. */
export async function findTar(context: Context): Promise<TarProgram> {
  const { stdout, exitCode, stderr } = await context.run({ argv: ['tar', '--version'] });
  const firstLine = stdout.split('\n')[0] ?? '';
  const gnu = /\(GNU tar\) (\d+)\.(\d+)/.exec(firstLine);
  if (gnu !== null) {
    const [major, minor] = [Number(gnu[1]), Number(gnu[2])];
    if (major < OLDEST_GNU[0] || (major === OLDEST_GNU[0] && minor < OLDEST_GNU[1])) {
      throw toolError(`cannot use tar: GNU tar ${major}.${minor} is too old`, {
        hint: 'install GNU tar 1.29 or newer',
      });
    }
    return { flavour: 'gnu', version: `GNU tar ${major}.${minor}` };
  }
  const bsd = /^bsdtar (\d[\d.]*)/.exec(firstLine);
  if (bsd !== null) return { flavour: 'bsd', version: `bsdtar ${bsd[1]}` };
  const said = firstLine === '' ? (stderr.split('\n')[0] ?? '') : firstLine;
  throw toolError(`cannot use tar: neither GNU tar nor bsdtar: ${exitCode === null ? 'it was killed' : said}`, {
    hint: 'install GNU tar (Debian and Alpine: package tar)',
  });
}

/** A command of this tar. libarchive needs a UTF-8 locale for names that are not ASCII; its messages stay English. */
export function tarProcess(tar: TarProgram, context: Context, argv: readonly string[]): ProcessSpec {
  const command: ProcessSpec['argv'] = ['tar', ...argv];
  if (tar.flavour === 'gnu') return { argv: command };
  return { argv: command, env: { LC_ALL: context.host.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8' } };
}
