import type { Problem } from '../../engine.ts';
import type { SearchServer } from './server.ts';

/** What a server does for a request, each with the smallest privilege that has it. A role may name the one or the other. */
export type Actions = Readonly<Record<string, string>>;

export interface Needs {
  readonly cluster: Actions;
  readonly indices: readonly { readonly names: readonly string[]; readonly actions: Actions }[];
}

type Answered = Readonly<Record<string, boolean>>;

/** Servers without users, and those of another make, answer so. */
const UNKNOWN = [400, 403, 404, 405, 500];

/**
 * What the user lacks, `manage on bkp_new_orders`: nothing where he may do all of it, or where the server does not tell.
 */
export async function lackingPrivileges(server: SearchServer, { cluster, indices }: Needs): Promise<readonly string[]> {
  if (server.version.product !== 'elasticsearch') return [];
  const asked = indices.filter(({ names }) => names.length > 0);
  const answer = (await server.json({
    method: 'POST',
    path: '/_security/user/_has_privileges',
    body: JSON.stringify({
      cluster: Object.entries(cluster).flat(),
      index: asked.map(({ names, actions }) => ({ names, privileges: Object.entries(actions).flat() })),
    }),
    doing: 'cannot ask what the user may do',
    expected: UNKNOWN,
  })) as { readonly cluster?: Answered; readonly index?: Readonly<Record<string, Answered>> } | null;
  if (answer === null) return [];
  const lacking = (actions: Actions, allowed: Answered = {}): readonly string[] => [
    ...new Set(
      Object.entries(actions).flatMap(([action, name]) =>
        allowed[action] === false && allowed[name] !== true ? [name] : [],
      ),
    ),
  ];
  const onCluster = lacking(cluster, answer.cluster).map((name) => `${name} on the cluster`);
  const byIndex = new Map<string, string[]>();
  for (const { names, actions } of asked)
    for (const name of names)
      for (const lacked of lacking(actions, answer.index?.[name]))
        byIndex.set(lacked, [...new Set([...(byIndex.get(lacked) ?? []), name])]);
  return [...onCluster, ...[...byIndex].map(([privilege, names]) => `${privilege} on ${shortened(names)}`)];
}

const MOST_NAMES = 5;
const shortened = (names: readonly string[]): string =>
  names.length <= MOST_NAMES
    ? names.join(', ')
    : `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`;

/** What a user lacks, as a problem. */
export const lackingProblem = (lacking: readonly string[]): readonly Problem[] =>
  lacking.length === 0
    ? []
    : [{ message: `the user lacks ${lacking.join('; ')}`, hint: 'give these privileges to a role of the user' }];
