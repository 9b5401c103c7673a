import type { CheckResult, IncomingArtifact } from '../../engine.ts';
import { openUsersReader, USERS_FORMAT } from '../capture/users.ts';
import { openDumpInspector } from '../rdb/dump-facts.ts';
import { dumpOf } from './dump-of.ts';
import { pushInto } from './push-into.ts';

/** Reads a stored dump to its end, and the users beside it. */
export async function checkDump(artifacts: readonly IncomingArtifact[]): Promise<CheckResult> {
  const inspector = openDumpInspector();
  await pushInto(dumpOf(artifacts), inspector);
  const facts = inspector.end();
  const list = artifacts.find(({ format }) => format === USERS_FORMAT);
  if (list === undefined) return { facts };
  const users = openUsersReader();
  await pushInto(list, users);
  return { facts: { ...facts, ...users.end() } };
}
