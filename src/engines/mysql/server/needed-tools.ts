import type { ToolNeed } from '../../engine.ts';
import type { MysqlConfig } from './connection.ts';
import { TOOL_FOLDERS } from './tools.ts';

const client = (tool: string, ofMariadb: string): ToolNeed => ({
  tool,
  otherNames: [ofMariadb],
  versionArgv: [tool, '--version'],
  debianPackage: 'mariadb-client',
  homebrewPackage: 'mysql-client',
  folders: TOOL_FOLDERS,
});

/** Which family it must be, only the server tells. */
export const MYSQL_TOOLS: readonly ToolNeed[] = [client('mysqldump', 'mariadb-dump'), client('mysql', 'mariadb')];

const mydumper = (folder: string | undefined): ToolNeed => ({
  tool: 'mydumper',
  versionArgv: ['mydumper', '--version'],
  debianPackage: 'mydumper',
  homebrewPackage: 'mydumper',
  folders: folder === undefined ? TOOL_FOLDERS : [folder, ...TOOL_FOLDERS],
});

/** What one target needs, to be captured and to come back. */
export const neededTools = ({ tools: only, method }: MysqlConfig): readonly ToolNeed[] => [
  ...(only === undefined ? MYSQL_TOOLS : MYSQL_TOOLS.map((need) => ({ ...need, only }))),
  ...(method === 'mydumper' ? [mydumper(only)] : []),
];
