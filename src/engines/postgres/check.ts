import type { Readable, Writable } from 'node:stream';
import type { Context, ProcessEnd } from '../../context.ts';
import { integrityError, throwIfAborted } from '../../errors.ts';
import type { CheckResult, Facts, IncomingArtifact, RawReader } from '../engine.ts';
import { openCustomInspector } from './custom-archive.ts';
import { onlyArchive } from './only-archive.ts';
import { openSqlInspector } from './sql-script.ts';
import { findNewestTool } from './tools.ts';

/**
 * Decodes a whole archive without a server, twice at once: bkp's own reader counts what is in it, pg_restore writes the
 * script that it would run. Throws `integrity` where either stumbles or the two differ.
 */
export async function checkPostgres(artifacts: readonly IncomingArtifact[], context: Context): Promise<CheckResult> {
  const artifact = onlyArchive(artifacts);
  const { program } = await findNewestTool('pg_restore', context);
  let facts: Facts = {};
  await artifact.into({
    kind: 'reader',
    read: async (raw) => {
      facts = await readBoth(raw, program, context);
    },
  });
  return { facts };
}

async function readBoth(raw: Readable, program: string, context: Context): Promise<Facts> {
  const archive = openCustomInspector();
  const script = openSqlInspector();
  const running = context.start({ argv: [program, '--file=-'] }, { stdin: 'pipe', stdout: 'pipe' });
  const { stdin, stdout } = running;
  if (stdin === null || stdout === null) throw new Error('a program without streams');
  const results = await Promise.allSettled([
    feed(raw, archive, stdin).finally(() => stdin.end()),
    drain(stdout, script),
    running.closed.then(judge),
  ]);
  throwIfAborted(context.signal);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const [inArchive, inScript] = [archive.end(), script.end()];
  if (JSON.stringify(inArchive) !== JSON.stringify(inScript))
    throw integrityError('cannot trust the archive: pg_restore writes other rows than it holds');
  return inArchive;
}

/** To the end, also where the program leaves before: it has read all that it wants, or its exit code says why not. */
async function feed(raw: Readable, archive: RawReader, stdin: Writable): Promise<void> {
  for await (const chunk of raw) {
    archive.push(chunk as Buffer);
    if (stdin.writable && !stdin.write(chunk)) await takesMore(stdin);
  }
}

const takesMore = (stdin: Writable): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      stdin.off('drain', go).off('close', go);
      resolve();
    };
    stdin.once('drain', go).once('close', go);
  });

async function drain(stdout: Readable, script: RawReader): Promise<void> {
  for await (const chunk of stdout) script.push(chunk as Buffer);
}

function judge({ exitCode, stderr }: ProcessEnd): void {
  if (exitCode === 0) return;
  const said = stderr.split('\n').filter(Boolean).at(-1) ?? `exit code ${exitCode}`;
  throw integrityError(`cannot decode the archive: ${said}`);
}
