import type { ToolNeed } from '../../engine.ts';
import { TAR } from '../../files/tar-program.ts';
import type { PostgresConfig } from './connection.ts';
import { TOOL_FOLDERS } from './tools.ts';

const client = (tool: string): ToolNeed => ({
  tool,
  versionArgv: [tool, '--version'],
  debianPackage: 'postgresql-client',
  homebrewPackage: 'libpq',
  folders: TOOL_FOLDERS,
});

const ALWAYS = [client('pg_dump'), client('pg_restore')];
const GLOBALS = client('pg_dumpall');
const SCRIPTS = client('psql');

/** Of all that comes with PostgreSQL, what some target may need. */
export const POSTGRES_TOOLS: readonly ToolNeed[] = [...ALWAYS, GLOBALS, SCRIPTS];

/** What one target needs, to be captured and to come back. */
export function neededTools({ format, globals, tools: only }: PostgresConfig): readonly ToolNeed[] {
  const clients = [...ALWAYS, ...(globals === true ? [GLOBALS] : []), ...(format === 'plain' ? [SCRIPTS] : [])];
  const found = only === undefined ? clients : clients.map((need) => ({ ...need, only }));
  return format === 'directory' ? [...found, TAR] : found;
}
