import type { ProcessSpec } from '../../../context.ts';
import type { OutgoingArtifact } from '../../engine.ts';
import type { MysqlTarget } from '../server/connection.ts';
import type { FoundTool } from '../server/tools.ts';
import { DUMP_FORMAT } from '../dump/format.ts';
import { openDumpInspector } from '../dump/inspector.ts';
import { judgeDump } from './judge-dump.ts';

const OPTIONS = [
  '--single-transaction',
  '--quick',
  '--skip-lock-tables',
  '--routines',
  '--triggers',
  '--events',
  '--hex-blob',
  '--default-character-set=utf8mb4',
  '--max-allowed-packet=1G',
  '--no-tablespaces',
] as const;
/** What only the programs of one family know; `--comments` keep what its users wrote into routines. */
const OF_FAMILY = { mysql: ['--set-gtid-purged=OFF', '--column-statistics=0'], mariadb: [] } as const;
/** A reader of its own process takes longer to start than so much to read. */
export const SMALL_BYTES: number = 16 * 1024 * 1024;

/** How one database becomes SQL that names no database, so that it comes back under any name. */
export const dumpArgv = (
  { database }: Pick<MysqlTarget, 'database'>,
  { program, family }: FoundTool,
  optionsArgument: string,
  more: readonly string[] = [],
): ProcessSpec['argv'] => [program, optionsArgument, ...OPTIONS, ...OF_FAMILY[family], ...more, '--', database];

/** One database in one stream. */
export function dumpArtifact(
  target: MysqlTarget,
  tool: FoundTool,
  optionsArgument: string,
  bytes: number,
): OutgoingArtifact {
  const argv = dumpArgv(target, tool, optionsArgument);
  const open = openDumpInspector;
  return {
    name: '',
    extension: 'sql',
    format: DUMP_FORMAT,
    source: { kind: 'process', process: { argv }, judge: judgeDump },
    estimatedBytes: null,
    inspect: bytes < SMALL_BYTES ? { open } : { open, program: 'mysql-dump' },
  };
}
