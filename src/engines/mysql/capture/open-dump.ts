import type { Context } from '../../../context.ts';
import type { OutgoingArtifact } from '../../engine.ts';
import { openFolderInspector } from '../dump/folder-reader.ts';
import { FOLDER_FORMAT } from '../dump/format.ts';
import { dumpArtifact, SMALL_BYTES } from './dump-artifact.ts';
import { dumpByMydumper } from './mydumper-folder.ts';
import type { ReadyDatabase } from './ready-database.ts';

/** A dump that is ready to be stored. `close` removes what was written on the way. */
export interface OpenDump {
  readonly artifact: OutgoingArtifact;
  /** What the program said already. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** A dump by the method of the target: streamed, or written into a private folder first, where several jobs can write. */
export async function openDump(ready: ReadyDatabase, optionsArgument: string, context: Context): Promise<OpenDump> {
  const { target, tool, bytes, mydumper } = ready;
  if (mydumper === null)
    return {
      artifact: dumpArtifact(target, tool, optionsArgument, bytes),
      warnings: [],
      close: async () => undefined,
    };
  const { process, bytes: written, ...rest } = await dumpByMydumper({ ...ready, mydumper, optionsArgument }, context);
  const open = openFolderInspector;
  const artifact: OutgoingArtifact = {
    name: '',
    extension: 'mydumper.tar',
    format: FOLDER_FORMAT,
    source: { kind: 'process', process },
    estimatedBytes: written,
    inspect: written < SMALL_BYTES ? { open } : { open, program: 'mysql-mydumper' },
  };
  return { artifact, ...rest };
}
