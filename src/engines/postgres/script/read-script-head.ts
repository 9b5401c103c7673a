import type { Readable } from 'node:stream';
import type { IncomingArtifact } from '../../engine.ts';
import { inspected } from '../../feed-program.ts';
import { choiceOf, listLine } from './choice.ts';
import { createScriptFilter, type ScriptChoice } from './filter.ts';
import { createScriptLines } from './lines.ts';
import { openSqlInspector } from '../archive/sql-script.ts';

/** What of a script is chosen, piece by piece. Throws `integrity` at its end unless the whole script was there. */
export async function* readChosen(raw: Readable, choice: ScriptChoice): AsyncGenerator<Buffer, void, void> {
  const filter = createScriptFilter(choice);
  for await (const chunk of inspected(raw, openSqlInspector())) yield* filter.push(chunk);
  yield* filter.end();
}

/** Does with a script what `readHead` does with an archive. It has no head: all of it is read. */
export async function readScriptHead(
  artifact: IncomingArtifact,
  options: readonly string[],
  onLine: (line: string) => void,
): Promise<void> {
  const isList = options.includes('--list');
  const choice = choiceOf(options);
  const listing: ScriptChoice = {
    ...choice,
    section(section) {
      if (choice.section(section)) onLine(listLine(section));
      return false;
    },
  };
  await artifact.into({
    kind: 'reader',
    async read(raw) {
      const lines = createScriptLines(isList ? () => undefined : onLine);
      for await (const piece of readChosen(raw, isList ? listing : choice)) lines.push(piece);
      lines.end();
    },
  });
}
