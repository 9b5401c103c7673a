import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from './measure.ts';

/** Where a benchmark works. */
export interface Lab {
  readonly runs: number;
  /** A new folder for this run, removed at its end. */
  readonly folder: string;
  /** Kept between runs: what takes long to make. */
  readonly dataFolder: string;
  /** The bundle, started as users start it. Its catalog is in `cache` of the folder given. */
  bkp(args: readonly string[], place: { readonly cwd: string; readonly path?: string }): Command;
  /** A new empty folder of the lab. */
  emptyFolder(name: string): string;
}

export interface OpenLab extends Lab {
  close(): void;
}

/** Sets up a lab with its own copy of `dist/`, so that a build during the run changes nothing. */
export function openLab(root: string, runs: number): OpenLab {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-bench-'));
  const dataFolder = join(root, 'bench-results', 'data');
  mkdirSync(dataFolder, { recursive: true });
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  return {
    runs,
    folder,
    dataFolder,
    bkp: (args, { cwd, path }) => ({
      argv: [process.execPath, join(folder, 'dist', 'bkp.cjs'), ...args],
      cwd,
      env: {
        XDG_CACHE_HOME: join(cwd, 'cache'),
        NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
        ...(path === undefined ? {} : { PATH: path }),
      },
    }),
    emptyFolder: (name) => {
      const path = join(folder, name);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path, { recursive: true });
      return path;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
