import type { Context } from '../../../src/context.ts';
import { testContext } from '../../test-context.ts';
import { describeDatabase, dump, type Dump } from './restore-bench.ts';
import type { TestServer } from './restore-server.ts';
import { RICH, RICH_ROLES, richProperties } from './rich-database.ts';
import { RICH_KINDS } from './rich-kinds.ts';

export interface TakenRich {
  readonly taken: Dump;
  /** What the database was when it was taken. */
  readonly before: string;
  readonly context: Context;
  readonly folder: string;
}

/** Makes the database `rich` and takes it. */
export async function takeRichOf(server: TestServer, contents: string = RICH + RICH_KINDS): Promise<TakenRich> {
  const { context, folder } = await testContext();
  await server.sql('postgres', RICH_ROLES);
  await server.sql('postgres', `CREATE DATABASE "${server.nameOf('rich')}"`);
  await server.sql('rich', contents);
  await server.sql('postgres', richProperties(server.nameOf('rich')));
  const taken = await dump(server.target('rich'), context, folder);
  return { taken, context, folder, before: await describeDatabase(server, 'rich') };
}
