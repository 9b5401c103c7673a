import type { Context } from '../../../context.ts';
import { targetError } from '../../../errors.ts';
import type { Capture, Facts } from '../../engine.ts';
import { factsOfPart, uniteFacts } from '../../part-facts.ts';
import { captureReady, readyDatabase, type ReadyDatabase } from '../capture/capture.ts';
import type { PostgresConfig } from '../server/connection.ts';
import { captureGlobals } from './dump-globals.ts';
import { GLOBALS } from './globals.ts';
import { type HeldTogether, holdSnapshots } from '../capture/held-snapshot.ts';
import { asDatabase, listDatabases } from './list-databases.ts';
import { openToolFinder } from '../server/tools.ts';

/** Gets one database or several ready to be dumped, and what belongs to their server where that is asked for. */
export async function capturePostgres(config: PostgresConfig, context: Context): Promise<Capture> {
  const names = await listDatabases(config, context);
  if (names.length === 0) throw targetError('cannot capture: the server has no database that is not left out');
  if (config.globals === true && config.database === undefined && names.includes(GLOBALS))
    throw targetError(`cannot capture database ${GLOBALS} together with the globals of its server`, {
      hint: 'make it a target of its own',
    });
  const tools = openToolFinder(config, context);
  const ready: ReadyDatabase[] = [];
  const closings: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closings.toReversed()) await one();
  };
  try {
    for (const name of names) {
      const database = await readyDatabase(asDatabase(config, name), tools, context);
      closings.push(() => database.session.close());
      ready.push(database);
    }
    const held = await holdSnapshots(
      ready.map(({ session }) => session),
      context,
    );
    const captures: Part[] = [];
    for (const [index, database] of ready.entries()) {
      const snapshot = held.snapshots[index];
      if (snapshot === undefined) throw new Error('a session without a snapshot');
      const capture = await captureReady(database, snapshot, context);
      closings.push(capture.close);
      captures.push({ ...capture, name: database.target.database });
    }
    const globals = config.globals === true ? await captureGlobals(ready, tools, context) : null;
    if (globals !== null) closings.push(globals.close);
    const whole = config.database === undefined ? unite(captures, held) : single(captures);
    return {
      ...whole,
      artifacts: [...(globals?.artifacts ?? []), ...whole.artifacts],
      warnings: [...(globals?.warnings ?? []), ...whole.warnings],
      pointInTime: held.between,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Part = Awaited<ReturnType<typeof captureReady>> & { readonly name: string };
type Whole = Pick<Capture, 'artifacts' | 'versions' | 'warnings' | 'facts' | 'query'>;

function single([only]: readonly Part[]): Whole {
  if (only === undefined) throw new Error('a target without a database');
  const { name: _, close: __, ...capture } = only;
  return capture;
}

/** Databases as parts of one capture, each with its own name before what it tells. */
function unite(parts: readonly Part[], { isOneMoment, between }: HeldTogether): Whole {
  const [first] = parts;
  if (first === undefined) throw new Error('a target without a database');
  const moment = { exact: isOneMoment, withinMs: isOneMoment ? 0 : between[1].getTime() - between[0].getTime() };
  const apart =
    'transactions over several databases may be in one of them only: the server was written to all the time';
  return {
    artifacts: parts.flatMap(({ name, artifacts }) => artifacts.map((artifact) => ({ ...artifact, name, part: name }))),
    versions: first.versions,
    warnings: [
      ...(isOneMoment ? [] : [apart]),
      ...parts.flatMap(({ name, warnings }) => warnings.map((warning) => `${name}: ${warning}`)),
    ],
    async facts() {
      const all: Facts[] = [];
      for (const { name, facts } of parts) all.push(factsOfPart(await facts(), name));
      return { ...uniteFacts(all), moment };
    },
  };
}
