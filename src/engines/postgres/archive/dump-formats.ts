import type { ReaderName } from '../../../context.ts';
import { integrityError } from '../../../errors.ts';
import type { IncomingArtifact, RawReader } from '../../engine.ts';
import { openCustomInspector } from './custom-archive.ts';
import type { PostgresTarget } from '../server/connection.ts';
import { openSqlInspector } from './sql-script.ts';
import { openDirectoryInspector, openTarInspector } from './tar-archive.ts';

/** How a dump is written and stored. */
export interface DumpFormat {
  /** In the policy, and for pg_dump. */
  readonly word: NonNullable<PostgresTarget['format']>;
  /** In manifests. */
  readonly format: string;
  readonly extension: string;
  /** Checks the end and counts while the bytes pass: facts are the same for every format. */
  readonly open: () => RawReader;
  readonly program: ReaderName;
}

const DUMP_FORMATS: readonly DumpFormat[] = [
  { word: 'custom', format: 'pg-custom', extension: 'dump', open: openCustomInspector, program: 'pg-custom' },
  {
    word: 'directory',
    format: 'pg-directory',
    extension: 'dir.tar',
    open: openDirectoryInspector,
    program: 'pg-directory',
  },
  { word: 'tar', format: 'pg-tar', extension: 'tar', open: openTarInspector, program: 'pg-tar' },
  { word: 'plain', format: 'pg-plain', extension: 'sql', open: openSqlInspector, program: 'pg-plain' },
];

/** Names in manifests; an adopted dump is of the first. */
export const STORED_FORMATS: readonly string[] = DUMP_FORMATS.map(({ format }) => format);

/** The format that a policy asks for. */
export function wantedFormat({ format = 'custom' }: Pick<PostgresTarget, 'format'>): DumpFormat {
  const found = DUMP_FORMATS.find(({ word }) => word === format);
  if (found === undefined) throw new Error(`no dump has the format ${format}`);
  return found;
}

/** The format of a stored dump. Throws `integrity` for one that is none of PostgreSQL's. */
export function storedFormat({ format }: Pick<IncomingArtifact, 'format'>): DumpFormat {
  const found = DUMP_FORMATS.find((known) => known.format === format);
  if (found !== undefined) return found;
  throw integrityError(`cannot read the snapshot: its dump has the format ${format}`, {
    hint: `bkp reads ${STORED_FORMATS.join(', ')}`,
  });
}
