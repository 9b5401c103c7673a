import type { Context } from '../../../context.ts';
import type { Capture } from '../../engine.ts';
import { openDumpInspector } from '../rdb/dump-facts.ts';
import { DUMP_FORMAT } from '../rdb/dump-format.ts';
import type { RedisTarget } from '../server/connection.ts';
import { readInfo } from '../server/server-info.ts';
import { connect } from '../server/session.ts';
import { requestDump } from '../wire/receive-dump.ts';
import { warningsOf } from './findings.ts';
import { captureUsers } from './users.ts';

/** Gets the dump of a server ready to be read: what it holds is fixed when this returns. */
export async function captureRedis(target: RedisTarget, context: Context): Promise<Capture> {
  const session = await connect(target, context);
  try {
    const info = await readInfo(session);
    const users = target.users === true ? [await captureUsers(session)] : [];
    const start = context.clock.now();
    const dump = await requestDump(target, context);
    return {
      artifacts: [
        {
          name: '',
          extension: 'rdb',
          format: DUMP_FORMAT,
          source: { kind: 'stream', open: dump.open },
          estimatedBytes: null,
          inspect: { open: openDumpInspector },
        },
        ...users,
      ],
      pointInTime: [start, context.clock.now()],
      versions: { server: info.version, tool: null },
      warnings: warningsOf(info).map(({ message }) => message),
      facts: async () => ({}),
      close: async () => dump.close(),
    };
  } finally {
    session.close();
  }
}
