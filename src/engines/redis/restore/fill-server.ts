import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Context } from '../../../context.ts';
import { BkpError, reasonOf, throwIfAborted } from '../../../errors.ts';
import type { IncomingArtifact } from '../../engine.ts';
import { type RedisTarget, serverOf } from '../server/connection.ts';
import { connect, type Session } from '../server/session.ts';
import { type KeyJournal, openKeyJournal } from './key-journal.ts';
import { type Loaded, loadKeys } from './load-keys.ts';
import type { Survey } from './survey.ts';

export interface Filled extends Loaded {
  /** Names of libraries that came. */
  readonly libraries: readonly string[];
  /** Why libraries did not come, one clause each. */
  readonly refused: readonly string[];
}

/**
 * Brings what a dump has and a server lacks. When `judge` or anything before it fails, what came is taken away again: keys
 * and libraries, each by its name.
 */
export async function fillServer<T>(
  artifact: IncomingArtifact,
  survey: Survey,
  target: RedisTarget,
  session: Session,
  wasEmpty: boolean,
  context: Context,
  judge: (filled: Filled) => Promise<T>,
): Promise<T> {
  const journal = openKeyJournal(join(context.workDir, `keys-${randomUUID()}`));
  const libraries: string[] = [];
  try {
    const refused = await loadLibraries(survey, session, libraries);
    const loaded = await loadKeys(artifact, survey, target, journal, wasEmpty, context);
    throwIfAborted(context.signal);
    return await judge({ ...loaded, libraries, refused });
  } catch (error) {
    await takeBack(journal, libraries, target, context).catch((failed: unknown) => {
      throw explainRemains(error, failed, target);
    });
    throw error;
  } finally {
    await journal.remove();
  }
}

/** A library whose name, or one of whose functions, is there already stays as it is there. */
async function loadLibraries(survey: Survey, session: Session, loaded: string[]): Promise<readonly string[]> {
  const refused: string[] = [];
  for (const code of survey.libraries) {
    try {
      loaded.push(String(await session.command('FUNCTION', 'LOAD', code)));
    } catch (error) {
      if (!(error instanceof BkpError) || !/already exists/i.test(error.message)) throw error;
      if (!/Library '.*' already exists/i.test(error.message)) refused.push(reasonOf(error));
    }
  }
  return refused;
}

const BATCH = 1000;

/** What was done is undone also after an abort, over a connection of its own. */
async function takeBack(
  journal: KeyJournal,
  libraries: readonly string[],
  target: RedisTarget,
  context: Context,
): Promise<void> {
  const steady = { ...context, signal: new AbortController().signal };
  const session = await connect(target, steady);
  try {
    for (const library of libraries) await session.command('FUNCTION', 'DELETE', library);
    let database = 0;
    let batch: Buffer[] = [];
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await session.command('UNLINK', ...batch);
      batch = [];
    };
    for await (const found of journal.keys()) {
      if (found.database !== database) {
        await flush();
        ({ database } = found);
        await session.command('SELECT', String(database));
      }
      batch.push(Buffer.from(found.key));
      if (batch.length === BATCH) await flush();
    }
    await flush();
  } finally {
    session.close();
  }
}

function explainRemains(error: unknown, failed: unknown, target: RedisTarget): BkpError {
  const code = error instanceof BkpError ? error.code : 'target';
  return new BkpError(code, reasonOf(error), {
    hint: `part of the keys stayed on ${serverOf(target)}, since taking them back failed too (${reasonOf(failed)}): run the same restore again to finish it`,
    cause: error,
  });
}
