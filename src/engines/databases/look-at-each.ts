import type { Context } from '../../context.ts';
import { asProblem } from '../as-problem.ts';
import type { Arrival, DestinationState, Probe, Problem } from '../engine.ts';
import type { DatabasesConfig, DatabasesOf } from './parts.ts';

/** How an engine looks at one database. */
export interface LooksAtDatabases<C extends DatabasesConfig, T> extends Pick<DatabasesOf<C, T>, 'asDatabase'> {
  /** Name of the artifact with what belongs to the server. */
  readonly globals: string;
  /** Where nobody knows yet which databases will come, the server itself is looked at. */
  readonly maintenanceDatabase: string;
  listDatabases(config: C, context: Context): Promise<readonly string[]>;
  probeOne(target: T, context: Context): Promise<Probe>;
  inspectOne(target: T, context: Context, coming: Arrival | undefined): Promise<DestinationState>;
}

/** Looks at every database of a target. */
export async function probeEach<C extends DatabasesConfig, T>(
  config: C,
  engine: LooksAtDatabases<C, T>,
  context: Context,
): Promise<Probe> {
  const { database } = config;
  if (database !== undefined) return engine.probeOne(engine.asDatabase(config, database), context);
  try {
    const names = await engine.listDatabases(config, context);
    const probes = await each(names, (name) => engine.probeOne(engine.asDatabase(config, name), context));
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
    const problems = [asProblem(error)];
    return { versions: { server: null, tool: null }, estimatedBytes: null, problems, warnings: [] };
  }
}

const sum = (sizes: readonly (number | null)[]): number | null =>
  sizes.reduce((all, size) => (all === null || size === null ? null : all + size), 0);

/** Looks at every place that a restore of a target would write; the one that is most in the way stands for all. */
export async function inspectEach<C extends DatabasesConfig, T>(
  config: C,
  engine: LooksAtDatabases<C, T>,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  if (config.database !== undefined)
    return engine.inspectOne(engine.asDatabase(config, config.database), context, coming);
  const { databases = [] } = config;
  const captured = (coming?.artifacts ?? [])
    .map(({ name }) => name)
    .filter((name) => name !== engine.globals && name !== '');
  const names = captured.length > 0 ? captured : databases === 'all' ? [engine.maintenanceDatabase] : databases;
  const states = await each(names, (name) =>
    engine.inspectOne(engine.asDatabase(config, name), context, ofDatabase(coming, name)),
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

async function each<T>(names: readonly string[], look: (name: string) => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for (const name of names) found.push(await look(name));
  return found;
}
