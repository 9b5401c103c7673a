import type { Probe, Problem } from '../../engine.ts';
import { chooseIndices } from '../capture/choose-indices.ts';
import { judgeRights, unread, unseen } from '../capture/rights.ts';
import { listIndices } from '../server/list-indices.ts';
import type { SearchServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { sizeOf } from '../server/size.ts';
import { describeVersion } from '../server/version.ts';
import { judgeFeatures, statesToCapture } from '../states/states.ts';
import { asProblem } from '../../as-problem.ts';
import { keepsClosed } from './capture.ts';
import { assertSame, listRepositories, notRegistered, verifyRepository, wantedRepository } from './repository.ts';

/** Looks at what a snapshot would hold, and at the repository that it would go to. Registers nothing. */
export async function probeSnapshot(server: SearchServer, target: SearchTarget): Promise<Probe> {
  const { indices, streams, problems } = chooseIndices(target, await listIndices(server), keepsClosed(server));
  const lacking = await judgeRights(server, target, [...indices, ...streams]);
  const hidden = await unseen(server, target);
  if (lacking.length > 0) return unread(server.version, [...problems, ...lacking], hidden);
  const open = indices.filter(({ isOpen }) => isOpen).map(({ name }) => name);
  const unknown = await judgeFeatures(server, statesToCapture(target).features);
  const found = await probeRepository(server, target);
  const { bytes } = await sizeOf(server, [...open, ...streams.map(({ name }) => name)]);
  return {
    versions: { server: describeVersion(server.version), tool: null },
    // What bkp itself stores is only a few lines; this is what the server reads.
    estimatedBytes: bytes,
    problems: [...problems, ...unknown, ...found.problems],
    warnings: [...hidden.map((message) => ({ message })), ...found.warnings],
  };
}

async function probeRepository(
  server: SearchServer,
  target: SearchTarget,
): Promise<{ readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }> {
  try {
    const wanted = wantedRepository(target);
    const there = (await listRepositories(server)).find(({ name }) => name === wanted.name);
    if (there === undefined) {
      if (wanted.type === undefined) throw notRegistered(wanted.name);
      const message = `snapshot repository ${wanted.name} is not registered on the server`;
      return { problems: [], warnings: [{ message, hint: 'the first capture registers it' }] };
    }
    assertSame(wanted, there);
    if (await verifyRepository(server, wanted.name)) return { problems: [], warnings: [] };
    const message = `the user may not verify snapshot repository ${wanted.name}`;
    return { problems: [], warnings: [{ message, hint: 'that needs cluster:admin/repository/verify, or manage' }] };
  } catch (error) {
    return { problems: [asProblem(error)], warnings: [] };
  }
}
