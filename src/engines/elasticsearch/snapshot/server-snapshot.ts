import type { Origin } from '../../references.ts';
import type { Asked } from '../restore/index-steps.ts';

/** A snapshot as the server tells of it. */
export interface ServerSnapshot {
  readonly snapshot: string;
  readonly uuid: string;
  readonly state: string;
  readonly indices: readonly string[];
  readonly data_streams?: readonly string[];
  readonly include_global_state?: boolean;
  readonly feature_states?: readonly { readonly feature_name: string; readonly indices: readonly string[] }[];
  readonly failures?: readonly { readonly index?: string; readonly reason?: string }[];
  readonly shards?: { readonly total: number; readonly failed: number };
  /** What we wrote into it, where it is ours. */
  readonly metadata?: { readonly bkp?: Mark } | null;
}

/** For whom it was taken, and by which cluster. */
export interface Mark extends Partial<Origin> {
  readonly cluster?: string;
}

interface Answered {
  readonly snapshots?: readonly ServerSnapshot[];
  readonly responses?: readonly { readonly snapshots?: readonly ServerSnapshot[] }[];
}

export const pathOfSnapshot = (repository: string, name: string): string =>
  `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`;

/** A snapshot by its name; null where there is none, or no such repository. */
export async function readSnapshot(server: Asked, repository: string, name: string): Promise<ServerSnapshot | null> {
  const found = await ask(server, repository, name);
  return found.find(({ snapshot }) => snapshot === name) ?? null;
}

/** Everything that a repository holds, by one request. Null where there is no such repository. */
export const listSnapshots = (server: Asked, repository: string): Promise<readonly ServerSnapshot[]> =>
  ask(server, repository, '_all');

async function ask(server: Asked, repository: string, name: string): Promise<readonly ServerSnapshot[]> {
  const answer = (await server.json({
    method: 'GET',
    path: pathOfSnapshot(repository, name),
    doing: `cannot look for snapshots in repository ${repository} of the server`,
    expected: [404],
  })) as Answered | null;
  return answer?.snapshots ?? (answer?.responses ?? []).flatMap(({ snapshots = [] }) => snapshots);
}

/** Removes a snapshot, also one that is being taken; one that is gone is no failure. */
export async function deleteSnapshot(server: Asked, repository: string, name: string): Promise<void> {
  await server.bytes({
    method: 'DELETE',
    path: pathOfSnapshot(repository, name),
    doing: `cannot delete snapshot ${name} from repository ${repository} of the server`,
    expected: [404],
    busyWhile: BUSY,
    isFinished: true,
  });
}

/** What older servers refuse while another snapshot is taken or removed. */
export const BUSY: RegExp = /concurrent_snapshot_execution_exception/;

/** Why a snapshot that the server ended cannot be trusted; null where it is whole. */
export function flawOf({ state, shards, failures = [] }: ServerSnapshot): string | null {
  if (state === 'SUCCESS' && (shards?.failed ?? 0) === 0 && failures.length === 0) return null;
  const [first] = failures;
  const why = first === undefined ? '' : `: ${first.index ?? 'an index'}: ${first.reason ?? 'no reason given'}`;
  return `its state is ${state}, ${shards?.failed ?? 0} of ${shards?.total ?? 0} shards failed${why}`;
}
