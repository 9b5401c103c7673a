import type { Context } from '../../context.ts';
import { targetError } from '../../errors.ts';
import type { RestoreOutcome, RestoreRequest } from '../engine.ts';
import type { PostgresTarget } from './connection.ts';

export function mergePostgres(
  { destination }: RestoreRequest<PostgresTarget>,
  _program: string,
  _context: Context,
): Promise<RestoreOutcome> {
  return Promise.reject(targetError(`cannot merge into ${destination.database}: not yet`));
}
