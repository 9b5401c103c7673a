import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import type { Arrival, DestinationState, Probe, Problem } from '../../engine.ts';
import type { PostgresConfig } from '../server/connection.ts';
import { GLOBALS } from './globals.ts';
import { inspectPostgresDestination } from '../restore/inspect-destination.ts';
import { asDatabase, listDatabases } from './list-databases.ts';
import { probePostgres } from '../capture/probe.ts';
import { openToolFinder } from '../server/tools.ts';

/** Looks at every database of a target. */
export async function probeDatabases(config: PostgresConfig, context: Context): Promise<Probe> {
  const tools = openToolFinder(config, context);
  if (config.database !== undefined) return probePostgres(asDatabase(config, config.database), tools, context);
  try {
    const names = await listDatabases(config, context);
    const probes = await each(names, (name) => probePostgres(asDatabase(config, name), tools, context));
    const tell = (of: (probe: Probe) => readonly Problem[]): readonly Problem[] =>
      probes.flatMap((probe, index) =>
        of(probe).map((one) => ({ ...one, message: `${names[index]}: ${one.message}` })),
      );
    return {
      versions: probes[0]?.versions ?? { server: null, tool: null },
      estimatedBytes: sum(probes.map(({ estimatedBytes }) => estimatedBytes)),
      problems: tell(({ problems }) => problems),
      warnings: tell(({ warnings }) => warnings),
    };
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    const problems = [{ message: error.message, hint: error.hint }];
    return { versions: { server: null, tool: null }, estimatedBytes: null, problems, warnings: [] };
  }
}

const sum = (sizes: readonly (number | null)[]): number | null =>
  sizes.reduce((all, size) => (all === null || size === null ? null : all + size), 0);

/** Looks at every place that a restore of a target would write; the one that is most in the way stands for all. */
export async function inspectDatabases(
  config: PostgresConfig,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  if (config.database !== undefined)
    return inspectPostgresDestination(asDatabase(config, config.database), context, coming);
  const { databases = [] } = config;
  const captured = (coming?.artifacts ?? []).map(({ name }) => name).filter((name) => name !== GLOBALS && name !== '');
  const names = captured.length > 0 ? captured : databases === 'all' ? [MAINTENANCE_DATABASE] : databases;
  const states = await each(names, (name) =>
    inspectPostgresDestination(asDatabase(config, name), context, ofDatabase(coming, name)),
  );
  const worst = (['unsuitable', 'occupied', 'empty', 'absent'] as const).find((state) =>
    states.some((one) => one.state === state),
  );
  const [first] = states;
  const isAlike = states.every(({ description }) => description === first?.description);
  return {
    state: worst ?? 'absent',
    description: isAlike
      ? `${names.join(', ')}: ${first?.description ?? ''}`
      : states.map(({ description }, index) => `${names[index]}: ${description}`).join(', '),
    problems: states.flatMap(({ problems }, index) =>
      problems.map((problem) => ({ ...problem, message: `${names[index]}: ${problem.message}` })),
    ),
    replacedInPlace: states.some(({ replacedInPlace }) => replacedInPlace === true),
  };
}

/** What comes to one of several databases; chosen paths begin with its name. */
const ofDatabase = (coming: Arrival | undefined, name: string): Arrival | undefined =>
  coming === undefined
    ? undefined
    : {
        ...coming,
        artifacts: coming.artifacts.filter((artifact) => artifact.name === name),
        paths: coming.paths.filter((path) => path.startsWith(`${name}/`)),
      };

/** Where nobody knows yet which databases will come, the server itself is looked at. */
const MAINTENANCE_DATABASE = 'postgres';

async function each<T>(names: readonly string[], look: (name: string) => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for (const name of names) found.push(await look(name));
  return found;
}
