import { expect, test } from 'vitest';
import { chooseIndices } from '../../../src/engines/elasticsearch/capture/choose-indices.ts';
import type { Listing } from '../../../src/engines/elasticsearch/server/list-indices.ts';

const part = (stream: string, number: number, isOpen = true): Listing['indices'][number] => ({
  name: `.ds-${stream}-00000${number}`,
  isOpen,
  isHidden: true,
  isSystem: true,
  dataStream: stream,
});
const LISTING: Listing = {
  indices: [
    { name: 'orders', isOpen: true, isHidden: false, isSystem: false, dataStream: undefined },
    part('logs', 1),
    part('logs', 2),
    part('unseen', 1),
    part('shut', 1, false),
  ],
  dataStreams: [
    { name: 'logs', isHidden: false, indices: ['.ds-logs-000001', '.ds-logs-000002'] },
    { name: 'unseen', isHidden: true, indices: ['.ds-unseen-000001'] },
    { name: 'shut', isHidden: false, indices: ['.ds-shut-000001'] },
  ],
  aliases: new Map(),
};
const SHUT = 'index .ds-shut-000001 is closed, and nobody can read it';

test.each([
  ['everything that is not hidden', {}, ['orders', 'logs', 'shut'], [SHUT]],
  ['a name', { indices: ['unseen'] }, ['unseen'], []],
  ['a pattern', { indices: ['lo*'] }, ['logs'], []],
  [
    'hidden ones where they are asked for',
    { indices: ['*'], excludeIndices: ['shut'], hidden: true },
    ['orders', 'logs', 'unseen'],
    [],
  ],
  ['all but one', { excludeIndices: ['shut', 'logs'] }, ['orders'], []],
  [
    'a part of a stream, which nobody can capture by itself',
    { indices: ['.ds-logs-000001'] },
    [],
    ['index .ds-logs-000001 is a part of data stream logs, which is captured as a whole'],
  ],
  [
    'all but a part of a stream, which nobody can leave out',
    { indices: ['logs'], excludeIndices: ['*1'] },
    ['logs'],
    ['index .ds-logs-000001 cannot be left out: it is a part of data stream logs'],
  ],
  [
    'nothing, where every stream is left out',
    { indices: ['l*'], excludeIndices: ['logs'] },
    [],
    ['every index is left out'],
  ],
  ['nothing, where no stream has the name', { indices: ['log'] }, [], ['there is no index log']],
])('chosen: %s', (_name, wanted, names, problems) => {
  const { indices, streams, problems: found } = chooseIndices(wanted, LISTING);
  expect([...indices, ...streams].map(({ name }) => name)).toEqual(names);
  expect(found.map(({ message }) => message)).toEqual(problems);
});

test('a closed part of a stream is no problem where snapshots keep it', () => {
  expect(chooseIndices({ indices: ['shut'] }, LISTING, true).problems).toEqual([]);
});
