import type { Context } from '../../../context.ts';
import { toolError } from '../../../errors.ts';
import { collectDefinitions, type ScriptStatement } from '../dump/definitions.ts';
import { createDumpLexer } from '../dump/lexer.ts';
import { describeStatement } from '../dump/statement.ts';
import { transformStatement } from '../dump/transform.ts';
import type { MysqlTarget } from '../server/connection.ts';
import { openOptionsFile } from '../server/options-file.ts';
import type { Server } from '../server/server.ts';
import { findFitting } from '../server/tools.ts';

const MOST_BYTES = 256 * 1024 * 1024;

/** What makes the views, triggers, routines and events of a database that is there, as its own dump would have it. */
export async function readDefinitions(
  target: MysqlTarget,
  server: Server,
  isEncrypted: boolean,
  context: Context,
): Promise<readonly ScriptStatement[]> {
  const { program, family } = await findFitting('dump', server, target, context);
  const options = await openOptionsFile(target, family, isEncrypted, context);
  try {
    const own = family === 'mysql' ? (['--set-gtid-purged=OFF', '--column-statistics=0'] as const) : ([] as const);
    // A view that nobody can read must not keep the others from being kept.
    const argv = [program, options.argument, ...OPTIONS, ...own, '--', target.database] as const;
    const { stdout, stderr, exitCode } = await context.run({ argv }, { maxStdoutBytes: MOST_BYTES });
    if (exitCode !== 0 && !/\b1356\b/.test(stderr))
      throw toolError(
        `cannot read the definitions of database ${target.database}: ${stderr.trim().split('\n').at(-1)}`,
      );
    const definitions = collectDefinitions();
    const lexer = createDumpLexer({
      statement(text) {
        const statement = describeStatement(text);
        const own = transformStatement(statement, text, { noOwner: false, keepsSandbox: false });
        if (own !== null) definitions.take(statement, own);
      },
      rowsBegin: () => undefined,
      rowsPiece: () => undefined,
      rowsEnd: () => undefined,
    });
    lexer.push(Buffer.from(stdout));
    lexer.end();
    return definitions.script;
  } finally {
    await options.close();
  }
}

const OPTIONS = [
  '--force',
  '--no-data',
  '--single-transaction',
  '--skip-lock-tables',
  '--routines',
  '--triggers',
  '--events',
  '--default-character-set=utf8mb4',
  '--no-tablespaces',
] as const;
