import { targetError } from '../../../errors.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';

/** A place for snapshots as the server knows it. */
export interface RegisteredRepository {
  readonly name: string;
  readonly type: string;
  /** Tells it from others wherever it is registered; null where the server gives none. */
  readonly uuid: string | null;
  readonly settings: Readonly<Record<string, string>>;
}

type Wanted = NonNullable<SearchTarget['snapshotRepository']>;

interface Answered {
  readonly type?: string;
  readonly uuid?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** The repository that a target names. Throws `target` where it names none. */
export function wantedRepository({ snapshotRepository }: SearchTarget): Wanted {
  if (snapshotRepository !== undefined) return snapshotRepository;
  throw targetError('cannot take a snapshot: the target names no `snapshotRepository`');
}

/** Every repository that is registered. */
export async function listRepositories(server: SearchServer): Promise<readonly RegisteredRepository[]> {
  const doing = 'cannot list the snapshot repositories of the server';
  const answer = (await server.json({ method: 'GET', path: '/_snapshot/_all', doing })) as Record<string, Answered>;
  return Object.entries(answer).map(([name, { type = '', uuid, settings = {} }]) => ({
    name,
    type,
    uuid: uuid === undefined || uuid === '_na_' ? null : uuid,
    settings: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)])),
  }));
}

/** What a policy says otherwise than the server; what it does not mention may be anything. */
function differences(wanted: Wanted, registered: RegisteredRepository): readonly string[] {
  const found: string[] = [];
  if (wanted.type !== undefined && wanted.type !== registered.type)
    found.push(`its type is ${registered.type}, not ${wanted.type}`);
  for (const [key, value] of Object.entries(wanted.settings ?? {}))
    if (registered.settings[key] !== String(value)) found.push(`its setting ${key} is another`);
  return found;
}

export function assertSame(wanted: Wanted, registered: RegisteredRepository): void {
  const found = differences(wanted, registered);
  if (found.length > 0)
    throw targetError(`cannot use snapshot repository ${wanted.name}: ${found.join('; ')}`, {
      hint: 'a repository that is registered is never replaced: correct the policy, or give another name',
    });
}

export const notRegistered = (name: string): Error =>
  targetError(`cannot use snapshot repository ${name}: the server has none with this name`, {
    hint: 'register it there, or give its `type` and `settings` in the policy',
  });

/** The repository of a target, registered and verified now where it is described and not there yet. */
export async function ensureRepository(server: SearchServer, target: SearchTarget): Promise<RegisteredRepository> {
  const wanted = wantedRepository(target);
  const find = async (): Promise<RegisteredRepository | undefined> =>
    (await listRepositories(server)).find(({ name }) => name === wanted.name);
  const there = await find();
  if (there !== undefined) {
    assertSame(wanted, there);
    return there;
  }
  if (wanted.type === undefined) throw notRegistered(wanted.name);
  const path = `/_snapshot/${encodeURIComponent(wanted.name)}`;
  const doing = `cannot register snapshot repository ${wanted.name}`;
  try {
    const body = JSON.stringify({ type: wanted.type, settings: wanted.settings ?? {} });
    await server.bytes({ method: 'PUT', path, query: { verify: true }, body, doing, isFinished: true });
  } catch (error) {
    // A server may keep what it could not verify.
    await server.afterwards.bytes({ method: 'DELETE', path, doing, expected: [404] }).catch(() => undefined);
    throw error;
  }
  const made = await find();
  if (made === undefined) throw notRegistered(wanted.name);
  return made;
}

/** Every node of the server can write there and read what another wrote. False where the user may not ask for that. */
export async function verifyRepository(server: SearchServer, name: string): Promise<boolean> {
  const answer = await server.bytes({
    method: 'POST',
    path: `/_snapshot/${encodeURIComponent(name)}/_verify`,
    doing: `cannot verify snapshot repository ${name}`,
    expected: [403],
  });
  return answer !== null;
}
