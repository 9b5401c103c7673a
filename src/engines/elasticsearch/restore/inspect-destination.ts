import type { Context } from '../../../context.ts';
import { asProblem } from '../../as-problem.ts';
import type { Arrival, DestinationState, Problem } from '../../engine.ts';
import { type Choice, chooseIndices } from '../capture/choose-indices.ts';
import { DOCUMENTS_FORMAT, STREAM_FORMAT, streamOfPart } from '../artifact/index-header.ts';
import { listIndices, type Listing } from '../server/list-indices.ts';
import { UNFINISHED } from '../server/own-names.ts';
import { type SearchServer, withServer } from '../server/server.ts';
import type { SearchTarget } from '../server/settings.ts';
import { sizeOf } from '../server/size.ts';
import { assertReplaceable } from '../streams/set-aside.ts';
import { describeStates } from '../states/describe-states.ts';
import { refusedStates, statesToRestore } from '../states/states.ts';
import { chosenNames, destinationOf } from './wanted.ts';

/** Looks at the indices that a restore would make or change. A server that cannot be asked is a problem, not an error. */
export async function inspectSearchDestination(
  target: SearchTarget,
  context: Context,
  coming?: Arrival,
): Promise<DestinationState> {
  try {
    return await withServer(target, context, async (server) => {
      const listing = await listIndices(server);
      const { indices: there, streams } = standingThere(target, listing, coming);
      const states = statesToRestore(target);
      const problems = refusedStates(states, coming?.mode);
      const replaced = await describeStates(server, states);
      if (there.length + streams.length === 0)
        return replaced === ''
          ? { state: 'absent', description: 'no such index', problems }
          : { state: 'occupied', description: `no such index; ${replaced}`, problems };
      const open = there.filter(({ isOpen }) => isOpen).map(({ name }) => name);
      const { documents } = await sizeOf(server, [...open, ...streams.map(({ name }) => name)]);
      const closed = there.filter(({ isOpen }) => !isOpen);
      const what = [countOf(there, 'index', 'indices'), countOf(streams, 'data stream', 'data streams')]
        .filter((one) => one !== '')
        .join(', ');
      return {
        state: 'occupied',
        description: `${what} with ${documents.toLocaleString('en')} documents${replaced === '' ? '' : `; ${replaced}`}`,
        problems: [
          ...problems,
          ...(coming?.mode === 'replace' ? await irreplaceable(server, streams) : []),
          ...closed.map(({ name }) => ({
            message: `index ${name} is closed`,
            hint: 'open it or delete it first',
          })),
        ],
        // The rest stays under other names; a safety snapshot holds these states.
        ...(replaced === '' ? {} : { replacedInPlace: true }),
      };
    });
  } catch (error) {
    const problem = asProblem(error);
    return { state: 'absent', description: 'cannot be looked at', problems: [problem] };
  }
}

/** Why streams cannot make room, where they cannot. */
async function irreplaceable(
  server: SearchServer,
  streams: readonly { readonly name: string }[],
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const { name } of streams)
    await assertReplaceable(server, name).catch((error: unknown) => void problems.push(asProblem(error)));
  return problems;
}

const countOf = ({ length }: readonly unknown[], one: string, many: string): string =>
  length === 0 ? '' : `${length.toLocaleString('en')} ${length === 1 ? one : many}`;

/** What the snapshot would meet; where no snapshot is known, what the target means. */
function standingThere(
  target: SearchTarget,
  listing: Listing,
  coming: Arrival | undefined,
): Pick<Choice, 'indices' | 'streams'> {
  const artifacts = coming?.artifacts ?? [];
  const names = [
    ...artifacts.filter(({ format }) => format === DOCUMENTS_FORMAT).map(({ name }) => name),
    ...new Set(artifacts.filter(({ format }) => format === STREAM_FORMAT).map(({ name }) => streamOfPart(name))),
  ];
  const unfinished = listing.aliases.get(UNFINISHED) ?? [];
  const finished = listing.indices.filter(({ name }) => !unfinished.includes(name));
  if (names.length > 0) {
    const places = chosenNames(names, coming?.paths ?? []).map((name) => destinationOf(name, target.rename));
    const isMet = ({ name }: { readonly name: string }): boolean => places.includes(name);
    return { indices: finished.filter(isMet), streams: listing.dataStreams.filter(isMet) };
  }
  const { rename, indices } = target;
  const meant = rename === undefined ? indices : indices?.map((pattern) => destinationOf(pattern, rename));
  return chooseIndices(
    { ...target, ...(meant === undefined ? {} : { indices: meant }) },
    { ...listing, indices: finished },
  );
}
