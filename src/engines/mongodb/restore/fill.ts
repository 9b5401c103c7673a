import type { Context, ProcessEnd } from '../../../context.ts';
import type { IncomingArtifact } from '../../engine.ts';
import type { Judgement } from '../../../streams/bytes.ts';
import { whyItFailed } from '../capture/judge-dump.ts';
import { openConfigFile } from '../server/config-file.ts';
import { OWN_PREFIXES } from '../server/names.ts';
import { findMongoTool } from '../server/tools.ts';
import type { MongodbTarget } from '../server/uri.ts';

/** One database of an archive, and where its collections go. */
export interface FillOrder {
  readonly artifact: IncomingArtifact;
  /** As the archive calls it. */
  readonly from: string;
  readonly destination: MongodbTarget;
  /** Before the name of every collection. */
  readonly prefix: string;
}

/** Restores one database of an archive with mongorestore. Throws unless every document of it went in. */
export async function fillCollections(order: FillOrder, context: Context): Promise<void> {
  const { artifact, from, destination, prefix } = order;
  const { program } = await findMongoTool('mongorestore', destination, context);
  const config = await openConfigFile(destination, context);
  const jobs = destination.jobs ?? 4;
  const options = [
    `--config=${config.path}`,
    '--archive',
    `--nsInclude=${literal(from)}.*`,
    ...OWN_PREFIXES.map((own) => `--nsExclude=${literal(from)}.${own}*`),
    `--nsFrom=${literal(from)}.*`,
    `--nsTo=${literal(destination.database)}.${prefix}*`,
    `--numParallelCollections=${jobs}`,
    `--numInsertionWorkersPerCollection=${jobs}`,
    // What was captured comes back, also what was there before its validator.
    '--bypassDocumentValidation',
    '--stopOnError',
  ];
  try {
    await artifact.into({ kind: 'process', process: { argv: [program, ...options] }, judge: judgeRestore });
  } finally {
    await config.close();
  }
}

/** In patterns of namespaces an asterisk stands for any letters. */
const literal = (name: string): string => name.replaceAll(/[\\*]/g, String.raw`\$&`);

/** What the end of mongorestore means: its last line counts, for it ends well also when documents failed. */
function judgeRestore(end: ProcessEnd): Judgement {
  if (end.exitCode !== 0) return whyItFailed(end);
  const counted = /(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed to restore/.exec(end.stderr);
  if (counted === null) return { verdict: 'failed', reason: 'it did not say how many documents it restored' };
  const failed = Number(counted[2]);
  if (failed === 0) return { verdict: 'ok', warnings: [] };
  return { verdict: 'failed', reason: `${failed} ${failed === 1 ? 'document' : 'documents'} failed to restore` };
}
