import { notFoundError, usageError } from '../../errors.ts';
import type { IncomingArtifact, RestoreRequest } from '../engine.ts';
import { partFacts } from '../part-facts.ts';

/** A target of one server: one database of it or several. */
export interface DatabasesConfig {
  readonly database?: string | undefined;
  readonly databases?: 'all' | readonly string[] | undefined;
  readonly excludeDatabases?: readonly string[] | undefined;
}

/** How an engine speaks of the databases of its servers. */
export interface DatabasesOf<C extends DatabasesConfig, T> {
  /** A target as one of its databases. */
  readonly asDatabase: (config: C, database: string) => T;
  /** Format of the artifact with what belongs to the server. */
  readonly globalsFormat: string;
  /** How a path names something in one of several databases: `DATABASE/SCHEMA.TABLE`. */
  readonly pathForm: string;
}

/** One database of a request. */
export interface DatabasePart<T> {
  /** Its name in the snapshot; empty where the target is one database. */
  readonly name: string;
  readonly request: RestoreRequest<T>;
}

/** The databases that come back, each with its own request. */
export function partsOf<C extends DatabasesConfig, T>(
  request: RestoreRequest<C>,
  { asDatabase, globalsFormat, pathForm }: DatabasesOf<C, T>,
): readonly DatabasePart<T>[] {
  const { artifacts, destination, paths, artifactFacts } = request;
  const databases = artifacts.filter(({ format }) => format !== globalsFormat);
  const [only] = databases;
  if (only?.name === '')
    return [
      {
        name: '',
        request: { ...request, artifacts: [only], destination: asDatabase(destination, onlyName(destination)), paths },
      },
    ];
  const chosen = choose(databases, paths, pathForm);
  if (destination.database !== undefined && chosen.length > 1)
    throw usageError(`cannot restore ${chosen.length} databases into one`, {
      hint: 'choose one with --path DATABASE, or restore without `database` in --into',
    });
  // A database that is chosen by its name comes back whole.
  const whole = request.expectedFacts ?? (request.mode === 'merge' ? null : (artifactFacts ?? null));
  return chosen.map(({ artifact, paths: within }) => ({
    name: artifact.name,
    request: {
      ...request,
      artifacts: [artifact],
      paths: within,
      destination: asDatabase(destination, destination.database ?? artifact.name),
      expectedFacts: whole === null || within.length > 0 ? null : partFacts(whole, artifact.name),
      ...(artifactFacts === undefined ? {} : { artifactFacts: partFacts(artifactFacts, artifact.name) }),
    },
  }));
}

function onlyName({ database }: DatabasesConfig): string {
  if (database !== undefined) return database;
  throw usageError('cannot restore one database into several', { hint: 'name it: --into database=NAME' });
}

/** Paths of several databases begin with the name of one: `kong` or `kong/public.events`. */
function choose(
  databases: readonly IncomingArtifact[],
  paths: readonly string[],
  pathForm: string,
): readonly { readonly artifact: IncomingArtifact; readonly paths: readonly string[] }[] {
  if (paths.length === 0) return databases.map((artifact) => ({ artifact, paths: [] }));
  const chosen = new Map<IncomingArtifact, readonly string[]>();
  for (const path of paths) {
    const artifact = databases.find(({ name }) => path === name || path.startsWith(`${name}/`));
    if (artifact === undefined)
      throw notFoundError(`cannot restore ${path}: the snapshot has no such database`, {
        hint: `it has ${databases.map(({ name }) => name).join(', ')}; a table of one is ${pathForm}`,
      });
    const within = path === artifact.name ? [] : [path.slice(artifact.name.length + 1)];
    chosen.set(artifact, [...(chosen.get(artifact) ?? []), ...within]);
  }
  return [...chosen].map(([artifact, within]) => ({ artifact, paths: within }));
}
