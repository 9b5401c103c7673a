import type { Context } from '../../../context.ts';
import { reasonOf, throwIfAborted } from '../../../errors.ts';
import { literal, runRestore } from './fill.ts';
import type { Prepared } from './restore.ts';

const OF_SERVER = ['users', 'roles', 'version'].map((name) => `--nsInclude=admin.system.${name}`);

/**
 * Brings users and roles back, by a second run over the archive once the data is in its place. Ones that are there stay as
 * they are. Returns why not, where they could not come back.
 */
export async function restoreUsers(prepared: Prepared, context: Context): Promise<readonly string[]> {
  const { request, artifact, collections } = prepared;
  const { destination } = request;
  const ofDatabase = collections.find(({ name }) => name === '$admin.system.users')?.database;
  const isOfServer = collections.some(({ database, name }) => database === 'admin' && name === 'system.users');
  if (destination.users !== true || prepared.oplog || (ofDatabase === undefined && !isOfServer)) return [];
  const others = collections.filter(({ database, name }) => database === ofDatabase && !name.startsWith('$'));
  const options =
    ofDatabase === undefined
      ? OF_SERVER
      : [
          `--db=${ofDatabase}`,
          '--restoreDbUsersAndRoles',
          ...others.map(({ name }) => `--nsExclude=${literal(`${ofDatabase}.${name}`)}`),
        ];
  try {
    await runRestore({ artifact, destination }, options, context);
    return [];
  } catch (error) {
    throwIfAborted(context.signal);
    return [`users and roles are as they were: ${reasonOf(error)}`];
  }
}
