import type { Context } from '../../../context.ts';
import { BkpError } from '../../../errors.ts';
import type { Probe } from '../../engine.ts';
import { listIndices } from '../server/list-indices.ts';
import { withServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { probeSnapshot } from '../snapshot/probe.ts';
import { describeVersion } from '../server/version.ts';
import { chooseIndices } from './choose-indices.ts';
import { describeIndex, judgeSource } from './read-index.ts';
import { judgeRights, unread, unseen } from './rights.ts';
import { sizeOf } from '../server/size.ts';

/** Looks at the server and at what a capture would read, or have the server copy. */
export async function probeIndices(target: SearchTarget, context: Context): Promise<Probe> {
  try {
    return await withServer(target, context, async (server) => {
      if (target.method === 'snapshot') return probeSnapshot(server, target);
      const { indices, streams, problems } = chooseIndices(target, await listIndices(server));
      const lacking = await judgeRights(server, target, [...indices, ...streams]);
      const hidden = await unseen(server, target);
      if (lacking.length > 0) return unread(server.version, [...problems, ...lacking], hidden);
      const judged = [];
      const parts = streams.flatMap((stream) => stream.indices);
      for (const name of [...indices.map((index) => index.name), ...parts])
        judged.push(judgeSource(await describeIndex(server, name)));
      const sizes = await sizeOf(
        server,
        [...indices.filter(({ isOpen }) => isOpen), ...streams].map(({ name }) => name),
      );
      return {
        versions: { server: describeVersion(server.version), tool: null },
        estimatedBytes: sizes.bytes,
        problems: [...problems, ...judged.flatMap((one) => one.problems)],
        warnings: [...hidden, ...judged.flatMap((one) => one.warnings)].map((message) => ({ message })),
      };
    });
  } catch (error) {
    if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
    return {
      versions: { server: null, tool: null },
      estimatedBytes: null,
      problems: [{ message: error.message, hint: error.hint }],
      warnings: [],
    };
  }
}
