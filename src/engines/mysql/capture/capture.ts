import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Capture, Facts, OutgoingArtifact } from '../../engine.ts';
import { factsOfPart, uniteFacts } from '../../part-facts.ts';
import { listDatabases, asDatabase } from '../databases/list-databases.ts';
import type { MysqlConfig } from '../server/connection.ts';
import { countDatabase, readCharacterSet } from '../server/database-facts.ts';
import { withMydumper } from '../server/mydumper.ts';
import { openOptionsFile } from '../server/options-file.ts';
import { queryValue } from '../server/query-value.ts';
import { captureUsers } from '../users/capture-users.ts';
import { USERS } from '../users/users-script.ts';
import { holdLock } from './held-lock.ts';
import { openDump } from './open-dump.ts';
import { readyDatabase, type ReadyDatabase } from './ready-database.ts';

/** Gets one database or several ready to be dumped. */
export async function captureMysql(config: MysqlConfig, context: Context): Promise<Capture> {
  const names = await listDatabases(config, context);
  if (names.length === 0) throw targetError('cannot capture: the server has no database that is not left out');
  if (config.globals === true && config.database === undefined && names.includes(USERS))
    throw targetError(`cannot capture database ${USERS} together with the users of its server`, {
      hint: 'make it a target of its own',
    });
  const closings: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closings.toReversed()) await one();
  };
  try {
    const ready: ReadyDatabase[] = [];
    for (const name of names) {
      const database = await readyDatabase(asDatabase(config, name), context);
      closings.push(() => database.session.close());
      ready.push(database);
    }
    const began = context.clock.now();
    const lock = config.lock === true ? await holdLock(ready, context) : null;
    if (lock !== null) closings.push(() => lock.close());
    const artifacts: OutgoingArtifact[] = [];
    const said: string[] = [];
    for (const database of ready) {
      const { target, server, session } = database;
      const options = await openOptionsFile(target, server.family, session.isEncrypted, context);
      closings.push(() => options.close());
      // What checks ask is seen from now on; the dump sees it a moment later, and the same with a lock.
      await session.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      const dump = await openDump(database, options.argument, context);
      closings.push(() => dump.close());
      artifacts.push(dump.artifact);
      said.push(...dump.warnings.map((one) => aboutOne(one, target.database, config)));
    }
    const users = config.globals === true ? [await captureUsers(firstOf(ready).session, firstOf(ready).server)] : [];
    const parts = ready.map((database, index) => ({ database, artifact: artifacts[index] }));
    const isOne = config.database !== undefined;
    const since = lock?.since ?? null;
    return {
      artifacts: [
        ...users,
        ...parts.flatMap(({ database, artifact }) =>
          artifact === undefined ? [] : [isOne ? artifact : named(artifact, database.target.database)],
        ),
      ],
      // A dump does not tell when it began; at the latest it was when it had ended, and this is read.
      get pointInTime(): readonly [Date, Date] {
        return since === null ? [began, context.clock.now()] : [since, since];
      },
      versions: versionsOf(ready),
      warnings: [
        ...(isOne || since !== null ? [] : [APART]),
        ...ready.flatMap((one) => warningsOf(one, config)),
        ...said,
      ],
      facts: () => factsOf(ready, isOne),
      ...(isOne ? { query: (sql: string) => queryValue(firstOf(ready).session, sql) } : {}),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const APART = 'the databases are from different moments: `lock: true` keeps writers out meanwhile';

const named = (artifact: OutgoingArtifact, name: string): OutgoingArtifact => ({ ...artifact, name, part: name });

function firstOf([first]: readonly ReadyDatabase[]): ReadyDatabase {
  if (first === undefined) throw new Error('a target without a database');
  return first;
}

function versionsOf(ready: readonly ReadyDatabase[]): Capture['versions'] {
  const { server, tool, mydumper } = firstOf(ready);
  return { server: server.version, tool: withMydumper(tool.version, mydumper) };
}

const warningsOf = ({ target, findings }: ReadyDatabase, config: MysqlConfig): readonly string[] =>
  findings.map(({ message }) => aboutOne(message, target.database, config));

const aboutOne = (message: string, name: string, { database }: MysqlConfig): string =>
  database === undefined ? `${name}: ${message}` : message;

/** Without a lock no count of the server is that of the dump. */
async function factsOf(ready: readonly ReadyDatabase[], isOne: boolean): Promise<Facts> {
  const all: Facts[] = [];
  for (const { target, session } of ready) {
    const counted =
      target.lock === true && target.checks !== 'fast' ? await countDatabase(session, target.database) : {};
    const facts = { ...counted, database: await readCharacterSet(session, target.database) };
    all.push(isOne ? facts : factsOfPart(facts, target.database));
  }
  return uniteFacts(all);
}
