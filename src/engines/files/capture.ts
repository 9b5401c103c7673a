import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../context.ts';
import type { Capture, TargetOf } from '../engine.ts';
import { openArchiveInspector } from './archive-reader.ts';
import { type ByteName, fromText } from './byte-name.ts';
import { findRoots, isBelow, memberName, topmost } from './capture-roots.ts';
import { createNameList } from './name-list.ts';
import { placesOf, repairPlaces } from './repair.ts';
import { selectMembers } from './select-members.ts';
import { createArgv } from './tar-argv.ts';
import { judgeCapture } from './tar-messages.ts';
import { findTar, type TarProgram, tarProcess } from './tar-program.ts';

/** Gets a tree ready to be archived by the system's tar, with names relative to `/`. */
export async function captureFiles(target: TargetOf<'files'>, context: Context): Promise<Capture> {
  const startedAt = context.clock.now();
  const tar = await findTar(context);
  const repair = await repairPlaces(placesOf(withoutRoot(target)), tar, context);
  for (const message of repair.notes) context.emit({ type: 'warning', message });
  const roots = findRoots(target);
  const listFile = join(context.workDir, `files-${randomUUID()}.list`);
  const members = await listMembers(target, roots.paths, tar, listFile, context);
  const notes = [...roots.notes, ...members.notes];
  const exclude = isBelow(fromText(context.workDir), '/') ? context.workDir.slice(1) : null;
  const argv = createArgv(tar, {
    base: '/',
    listFile,
    recursive: members.recursive,
    oneFileSystem: target.oneFileSystem ?? false,
    exclude,
  });
  let endedAt: Date | null = null;
  return {
    artifacts: [
      {
        name: '',
        extension: 'tar',
        format: 'tar-pax',
        source: {
          kind: 'process',
          process: tarProcess(tar, context, argv),
          judge: (end) => {
            endedAt = context.clock.now();
            return judgeCapture(end, notes);
          },
        },
        // To know it takes a walk as long as a tenth of the capture; `probe` gives it where it is wanted.
        estimatedBytes: null,
        inspect: { open: openArchiveInspector, program: 'tar' },
      },
    ],
    get pointInTime() {
      return [startedAt, endedAt ?? context.clock.now()] as const;
    },
    versions: { server: null, tool: tar.version },
    warnings: [],
    facts: () => Promise.resolve({}),
    close: () => rm(listFile, { force: true }),
  };
}

/** Captures read the original places; `root` is for restores. */
const withoutRoot = ({ root: _root, ...target }: TargetOf<'files'>): TargetOf<'files'> => target;

interface Members {
  /** Whether tar walks the tree itself. */
  readonly recursive: boolean;
  readonly notes: readonly string[];
}

/**
 * Writes the list that tar works from. Where nothing is left out tar walks by itself, which is faster and sees what
 * vanishes; globs have no equal in tar, so that every member is listed.
 */
async function listMembers(
  target: TargetOf<'files'>,
  paths: readonly ByteName[],
  tar: TarProgram,
  listFile: string,
  context: Context,
): Promise<Members> {
  const isFiltered = target.include !== undefined || target.exclude !== undefined || paths.includes('/');
  const roots = topmost(paths);
  const recursive =
    tar.flavour === 'gnu' && !isFiltered && (roots.length === paths.length || target.oneFileSystem !== true);
  const list = createNameList(listFile);
  try {
    if (recursive) {
      for (const path of roots) list.add(memberName(path));
      return { recursive, notes: [] };
    }
    const options = { workDir: fromText(context.workDir), signal: context.signal };
    const { notes } = await selectMembers(target, paths, options, (met) => {
      list.add(met.name);
      return true;
    });
    return { recursive, notes };
  } finally {
    list.close();
  }
}
