import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import { collectDefinitions } from '../dump/definitions.ts';
import { createDumpLexer } from '../dump/lexer.ts';
import { describeStatement } from '../dump/statement.ts';
import { transformStatement } from '../dump/transform.ts';
import type { MysqlTarget } from '../server/connection.ts';
import type { FoundTool } from '../server/tools.ts';
import { dumpArgv } from './dump-artifact.ts';
import { judgeDump } from './judge-dump.ts';

/** A database without its rows, as two scripts: what rows need, and what must not be there before them. */
export interface SchemaScript {
  readonly tables: string;
  readonly definitions: string;
  /** The same text while no table was changed, whatever rows came and went. */
  readonly shape: string;
}

const MOST_BYTES = 256 * 1024 * 1024;

/** Has the dumping program of the server write everything but rows, and takes it apart. */
export async function readSchema(
  target: MysqlTarget,
  tool: FoundTool,
  optionsArgument: string,
  context: Context,
): Promise<SchemaScript> {
  const argv = dumpArgv(target, tool, optionsArgument, ['--no-data']);
  const ended = await context.run({ argv }, { maxStdoutBytes: MOST_BYTES });
  const judgement = judgeDump(ended);
  if (judgement.verdict === 'failed')
    throw targetError(`cannot dump database ${target.database}: ${judgement.reason}`, { hint: judgement.hint });
  const tables: string[] = [];
  const definitions = collectDefinitions();
  const lexer = createDumpLexer({
    statement(text) {
      const statement = describeStatement(text);
      if (OF_TABLES.includes(statement.kind)) tables.push(text.toString('utf8').trim());
      const own = transformStatement(statement, text, { noOwner: false, keepsSandbox: false });
      if (own !== null) definitions.take(statement, own);
    },
    rowsBegin: () => undefined,
    rowsPiece: () => undefined,
    rowsEnd: () => undefined,
  });
  lexer.push(Buffer.from(ended.stdout));
  lexer.end();
  const all = tables.join('\n');
  return {
    tables: `${HEAD}${all}\n`,
    definitions: scriptOf(definitions.script.map(({ text }) => text)),
    shape: all.replaceAll(/ AUTO_INCREMENT=\d+|SETVAL\([^\n]*\n?/g, ''),
  };
}

const OF_TABLES: readonly string[] = ['table', 'drop-table', 'sequence'];

/** Holds for the rows too, where one session runs one file after the other. */
const HEAD = `SET NAMES utf8mb4;
SET TIME_ZONE='+00:00', UNIQUE_CHECKS=0, FOREIGN_KEY_CHECKS=0, SQL_MODE='NO_AUTO_VALUE_ON_ZERO', SQL_NOTES=0;
`;

/** Ends as a dump does. */
const scriptOf = (texts: readonly string[]): string =>
  `SET NAMES utf8mb4;\nDELIMITER ;;\n${texts.map((text) => `${text} ;;\n`).join('')}DELIMITER ;\n-- Dump completed\n`;
