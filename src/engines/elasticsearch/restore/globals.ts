import { BkpError } from '../../../errors.ts';
import type { Definition } from '../artifact/index-header.ts';
import { digestJson } from '../json/canonical.ts';
import { fieldsOf } from '../json/walk.ts';
import { readGlobals } from '../capture/read-globals.ts';
import type { SearchServer } from '../server/server.ts';

/**
 * Makes templates, pipelines and scripts that are missing. One that is there stays as it is, since other indices may live by
 * it; where it differs a warning names it. Returns how many were made.
 */
export async function restoreGlobals(
  definitions: readonly Definition[],
  server: SearchServer,
  warn: (message: string) => void,
): Promise<number> {
  const globals = definitions.filter(({ path }) => path.startsWith('_'));
  if (globals.length === 0) return 0;
  const there = new Map((await readGlobals(server)).map(({ path, body }) => [path, body]));
  let made = 0;
  for (const { path, body } of globals) {
    const present = there.get(path);
    const name = decodeURIComponent(path);
    if (present !== undefined) {
      if (digestOf(present) !== digestOf(body)) warn(`${name} is there and differs: it stays as it is`);
      continue;
    }
    try {
      await server.bytes({
        method: 'PUT',
        path: `/${path}`,
        body: withoutDates(body),
        doing: `cannot make ${name}`,
        isFinished: true,
      });
      made += 1;
    } catch (error) {
      if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
      warn(`${name} does not carry over: ${error.message}`);
    }
  }
  return made;
}

/** When it was made is for the server to say. */
const OF_SERVER = /^(?:created|modified)_date(?:_millis)?$/;

function withoutDates(body: Buffer): Buffer {
  const fields = [...fieldsOf(body)].filter(([key]) => !OF_SERVER.test(key));
  return Buffer.from(`{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value.toString()}`).join(',')}}`);
}

const digestOf = (body: Buffer): string => digestJson(withoutDates(body));
