import { onTestFinished } from 'vitest';
import type { Context } from '../../../src/context.ts';
import type { RestoreMode, RestoreOutcome } from '../../../src/engines/engine.ts';
import type { PostgresTarget } from '../../../src/engines/postgres/server/connection.ts';
import { connectionOf } from '../../services/connection.ts';
import { dropDatabase, psql } from '../../services/postgres-psql.ts';
import { testContext } from '../../test-context.ts';
import { fixtureOn } from '../postgres-fixture.ts';
import { newRepository, restore, take, type Taken } from '../workbench.ts';

export type Target = PostgresTarget;

/** A database of its own on one of the servers, with a copy that a restore makes of it. */
export interface OneDatabase {
  readonly context: Context;
  /** A folder that goes with the test. */
  readonly folder: string;
  readonly target: Target;
  readonly copy: Target;
  readonly sql: (statements: string) => string;
  readonly sqlOfCopy: (statements: string) => string;
  readonly capture: (changes?: Partial<Target>) => Promise<Taken>;
  readonly restore: (taken: Taken, changes?: Partial<Target>, mode?: RestoreMode) => Promise<RestoreOutcome>;
}

let made = 0;

/** Makes a database with contents, and with options of CREATE DATABASE; it and its copy go with the test. */
export async function oneDatabase(statements: string, service = 'postgres-15', options = ''): Promise<OneDatabase> {
  const server = connectionOf(service);
  const { context, folder } = await testContext();
  made += 1;
  const [database, copied] = [`one ${process.pid} ${made}`, `copy ${process.pid} ${made}`];
  psql(server, 'postgres', `CREATE DATABASE "${database}" TEMPLATE template0 ${options}`);
  onTestFinished(() => {
    dropDatabase(server, copied);
    dropDatabase(server, database);
  });
  const { host = '', port = '', user = '', password = '', bin = '' } = server;
  const target: Target = { type: 'postgres', host, port: Number(port), user, password, database, tools: bin };
  const copy = { ...target, database: copied };
  const fixture = fixtureOn(service);
  const sql = (text: string): string => psql(server, database, text);
  sql(statements);
  const repository = await newRepository(folder, context);
  return {
    context,
    folder,
    target,
    copy,
    sql,
    sqlOfCopy: (text) => psql(server, copied, text),
    capture: (changes = {}) => take(fixture, { ...target, ...changes }, repository, context),
    restore: (taken, changes = {}, mode = 'new') => restore(fixture, taken, { ...copy, ...changes }, mode, context),
  };
}
