import type { Context, ProcessEnd } from '../../../context.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { whyItFailed } from '../capture/judge-dump.ts';
import { openConfigFile } from '../server/config-file.ts';
import { OWN_PREFIXES } from '../server/names.ts';
import { findMongoTool } from '../server/tools.ts';
import type { Place } from './places.ts';
import type { Prepared } from './restore.ts';

/** Restores what goes into all places with mongorestore. Throws unless every document of it went in. */
export async function fillPlaces(
  { request, artifact, collections, places, oplog }: Prepared,
  context: Context,
): Promise<void> {
  const { destination } = request;
  const jobs = destination.jobs ?? 4;
  // Of a collection of a fixed size the oldest documents go first.
  const isOrdered = collections.some(({ metadata }) => metadata.includes('"capped":true'));
  await runRestore(
    { artifact, destination },
    [
      // What was captured comes back, also what was there before its validator.
      '--bypassDocumentValidation',
      '--stopOnError',
      `--numParallelCollections=${jobs}`,
      `--numInsertionWorkersPerCollection=${isOrdered ? 1 : jobs}`,
      ...(isOrdered ? ['--maintainInsertionOrder'] : []),
      ...(oplog ? ['--oplogReplay'] : places.flatMap(placeOptions)),
    ],
    context,
  );
}

const placeOptions = ({ from, database, prefix }: Place): readonly string[] => [
  `--nsInclude=${literal(from)}.*`,
  `--nsExclude=${literal(from)}.system.*`,
  ...OWN_PREFIXES.map((own) => `--nsExclude=${literal(from)}.${own}*`),
  `--nsFrom=${literal(from)}.*`,
  `--nsTo=${literal(database)}.${prefix}*`,
];

/** Streams an archive into mongorestore, which asks for nothing and is given its options besides the connection. */
export async function runRestore(
  { artifact, destination }: Pick<Prepared, 'artifact'> & Pick<Prepared['request'], 'destination'>,
  options: readonly string[],
  context: Context,
): Promise<void> {
  const { program } = await findMongoTool('mongorestore', destination, context);
  const config = await openConfigFile(destination, context);
  try {
    const argv = [program, `--config=${config.path}`, '--archive', ...options] as const;
    await artifact.into({ kind: 'process', process: { argv }, judge: judgeRestore });
  } finally {
    await config.close();
  }
}

/** In patterns of namespaces an asterisk stands for any letters. */
export const literal = (name: string): string => name.replaceAll(/[\\*]/g, String.raw`\$&`);

/** What the end of mongorestore means: its last line counts, for it ends well also when documents failed. */
export function judgeRestore(end: ProcessEnd): Judgement {
  if (end.exitCode !== 0) return whyItFailed(end);
  const counted = /(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed to restore/.exec(end.stderr);
  if (counted === null) return { verdict: 'failed', reason: 'it did not say how many documents it restored' };
  const failed = Number(counted[2]);
  if (failed === 0) return { verdict: 'ok', warnings: [] };
  return { verdict: 'failed', reason: `${failed} ${failed === 1 ? 'document' : 'documents'} failed to restore` };
}
