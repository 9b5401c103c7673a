import type { Session } from './connection.ts';

/** What a session is connected to. */
export interface Server {
  /** `7.0.14`; with the name of what only speaks like MongoDB. */
  readonly version: string;
  /** Name of the replica set it is a member of; null for a single server. */
  readonly replicaSet: string | null;
  /** A router of a sharded cluster. */
  readonly isRouter: boolean;
}

export async function readServer(session: Session): Promise<Server> {
  const build = await session.command('admin', { buildInfo: 1 });
  const hello = await session.command('admin', { hello: 1 });
  const { ferretdb } = build as { readonly ferretdb?: { readonly version?: string } };
  const version = String(build['version'] ?? 'unknown');
  return {
    version: ferretdb === undefined ? version : `${version} (FerretDB ${ferretdb.version ?? ''})`,
    replicaSet: typeof hello['setName'] === 'string' ? hello['setName'] : null,
    isRouter: hello['msg'] === 'isdbgrid',
  };
}
