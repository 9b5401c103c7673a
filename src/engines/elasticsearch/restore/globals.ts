import { BkpError } from '../../../errors.ts';
import type { Definition } from '../artifact/index-header.ts';
import { digestJson } from '../json/canonical.ts';
import { fieldsOf } from '../json/walk.ts';
import { readGlobals } from '../capture/read-globals.ts';
import type { Asked } from './index-steps.ts';
import type { SearchServer } from '../server/server.ts';

/**
 * Makes templates, pipelines and scripts that are missing. One that is there stays as it is, since other indices may live by
 * it; where it differs a warning names it. Returns what was made.
 */
export async function restoreGlobals(
  definitions: readonly Definition[],
  server: SearchServer,
  warn: (message: string) => void,
): Promise<readonly string[]> {
  const globals = definitions.filter(({ path }) => path.startsWith('_'));
  if (globals.length === 0) return [];
  const there = new Map((await readGlobals(server)).map(({ path, body }) => [path, body]));
  const made: string[] = [];
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
        body: portableForm(body),
        doing: `cannot make ${name}`,
        isFinished: true,
      });
      made.push(path);
    } catch (error) {
      if (!(error instanceof BkpError) || error.code === 'interrupted') {
        await removeGlobals(made, server.afterwards);
        throw error;
      }
      warn(`${name} does not carry over: ${error.message}`);
    }
  }
  return made;
}

/** Takes away again what was made, what needs others first. A template that a data stream lives by stays with it. */
export async function removeGlobals(made: readonly string[], server: Asked): Promise<void> {
  for (const path of made.toReversed())
    await server.bytes({
      method: 'DELETE',
      path: `/${path}`,
      doing: `cannot take away ${decodeURIComponent(path)}`,
      expected: [400, 404],
    });
}

/** When it was made is for the server to say. */
const OF_SERVER = /^(?:created|modified)_date(?:_millis)?$/;

/** A definition as every server takes it: without what its own one says of it. */
export function portableForm(body: Buffer): Buffer {
  const fields = [...fieldsOf(body)]
    .filter(([key]) => !OF_SERVER.test(key))
    .map(([key, value]) => [key, key === 'data_stream' ? withoutDefaults(value) : value] as const);
  return objectOf(fields);
}

/** What a template says of data streams where it says nothing; other products do not know these words. */
const STREAM_DEFAULTS: Readonly<Record<string, string>> = {
  timestamp_field: '{"name":"@timestamp"}',
  hidden: 'false',
  allow_custom_routing: 'false',
};

const withoutDefaults = (stream: Buffer): Buffer =>
  objectOf(
    [...fieldsOf(stream)].filter(
      ([key, value]) =>
        STREAM_DEFAULTS[key] === undefined || JSON.stringify(JSON.parse(value.toString())) !== STREAM_DEFAULTS[key],
    ),
  );

const objectOf = (fields: readonly (readonly [string, Buffer])[]): Buffer =>
  Buffer.from(`{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value.toString()}`).join(',')}}`);

const digestOf = (body: Buffer): string => digestJson(portableForm(body));
