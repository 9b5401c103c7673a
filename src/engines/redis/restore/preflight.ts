import { randomBytes } from 'node:crypto';
import { BkpError, targetError } from '../../../errors.ts';
import { formatBytes } from '../../../format-bytes.ts';
import { bytesOf, createCrc64, JONES } from '../../crc64.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import type { Session } from '../server/session.ts';
import type { Contents } from './contents.ts';
import type { Survey } from './survey.ts';

/** No kind of value has this number. */
const NO_KIND = 0xef;
const USUAL_LONGEST_ARGUMENT = 512 * 1024 * 1024;

/** Throws `target` where the server could not take what the dump holds. Changes nothing. */
export async function assertServerTakes(
  survey: Survey,
  session: Session,
  { info }: Contents,
  target: RedisTarget,
): Promise<void> {
  const refuse = (reason: string, hint: string): BkpError =>
    targetError(`cannot restore into redis at ${serverOf(target)}: ${reason}`, { hint });
  if (info.fields.get('role') === 'slave')
    throw refuse('it is a replica', 'restore into the server that it follows, or run REPLICAOF NO ONE there first');
  if (!(await readsFormat(session, survey.version)))
    throw refuse(
      `its version ${info.version} is too old for format ${survey.version} of the dump`,
      'restore into a server of the version that was captured, or a newer one of the same make',
    );
  const modules = await session.command('MODULE', 'LIST').catch(() => null);
  if (survey.moduleTypes.length > 0 && Array.isArray(modules) && modules.length === 0)
    throw refuse(
      `it has no module for ${survey.moduleTypes.join(', ')}`,
      'load the modules that the captured server has',
    );
  if (survey.highestDatabase > 0) {
    const databases = Number(await setting(session, 'databases'));
    if (databases > 0 && survey.highestDatabase >= databases)
      throw refuse(
        `the dump has a database ${survey.highestDatabase}, and the server ${databases} in all`,
        'raise `databases` in its configuration',
      );
  }
}

/** Throws where a value is larger than one command may be. */
export async function assertValuesFit(survey: Survey, session: Session, target: RedisTarget): Promise<void> {
  const longest = Number(await setting(session, 'proto-max-bulk-len')) || USUAL_LONGEST_ARGUMENT;
  if (survey.largestBytes < longest - 64) return;
  throw targetError(
    `cannot restore into redis at ${serverOf(target)}: a value of ${formatBytes(survey.largestBytes)} is longer than one command may be`,
    { hint: 'raise `proto-max-bulk-len` there, or restore with `method: file`' },
  );
}

/** The server itself is asked: a value of no kind is refused as one only after its version was found good. */
async function readsFormat(session: Session, version: number): Promise<boolean> {
  const payload = Buffer.of(NO_KIND, version & 255, version >> 8);
  const crc = createCrc64(JONES);
  crc.update(payload);
  const name = `bkp:format:${randomBytes(8).toString('hex')}`;
  const said = await session
    .command('RESTORE', name, '0', Buffer.concat([payload, bytesOf(crc)]))
    .catch((error: unknown) => error);
  if (!(said instanceof BkpError)) throw new Error('a value of no kind was taken');
  if (/Bad data format/i.test(said.message)) return true;
  if (/payload version|checksum/i.test(said.message)) return false;
  throw said;
}

/** A setting of the server; empty where the user may not ask. */
export async function setting(session: Session, name: string): Promise<string> {
  const reply = await session.command('CONFIG', 'GET', name).catch(() => null);
  return typeof reply === 'object' && reply !== null ? String(reply[1] ?? '') : '';
}
