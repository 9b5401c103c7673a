import schema from '../../schema/bkp.schema.json' with { type: 'json' };
import { EXIT, type ExitCode } from '../errors.ts';
import type { CommandRun } from './command.ts';

/** The whole policy schema as one self-contained document. */
export const schemaText = (): string => `${JSON.stringify(schema, null, 2)}\n`;

/** `bkp schema`: the whole policy schema as one self-contained document, for editors and reviewers. */
export const schemaCommand: CommandRun = async (_args, _options, { terminal }): Promise<ExitCode> => {
  terminal.out(schemaText());
  return EXIT.done;
};
