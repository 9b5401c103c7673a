import { createHash } from 'node:crypto';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../../src/engines/command.ts';
import type { TargetOf } from '../../src/engines/engine.ts';
import type { Content, EngineFixture } from './fixture.ts';

const STORE = fileURLToPath(new URL('command/store.sh', import.meta.url));

/** The lines of a folder as a target: every program is the tool of the small application. */
const storeTarget = (folder: string): TargetOf<'command'> => ({
  type: 'command',
  capture: [STORE, 'capture', folder],
  restore: [STORE, 'restore', folder],
  check: [STORE, 'check'],
  facts: [STORE, 'facts'],
  endMark: '-- end',
  extension: 'lines',
  modes: ['new', 'replace', 'merge'],
});

const linesOf = ({ capture }: TargetOf<'command'>): string => join(capture[2] ?? '', 'lines');
const hash = (text: string): string => createHash('sha512').update(text).digest('base64');

const COUNT: Readonly<Record<Content, number>> = { empty: 0, small: 20, large: 90_000 };

export const commandFixture: EngineFixture<'command'> = {
  name: 'command',
  engine: command,
  isPersistent: true,
  canLook: false,
  producer: null,
  consumer: null,
  query: null,

  async make(folder, content) {
    const lines = Array.from({ length: COUNT[content] }, (_, n) => `k${n} ${hash(`${n}`)}\n`);
    await writeFile(join(folder, 'lines'), lines.join(''));
    return storeTarget(folder);
  },

  elsewhere: (_target, folder) => storeTarget(folder),
  digest: async (target) => readFile(linesOf(target), 'utf8').then(hash, () => 'absent'),

  async alter(target) {
    const lines = (await readFile(linesOf(target), 'utf8')).split('\n').filter(Boolean);
    const kept = lines.filter((line) => !/^(?:k13|new) /.test(line));
    await writeFile(linesOf(target), [...kept, 'new one', ''].join('\n'));
  },

  async partsOf(target) {
    const text = await readFile(linesOf(target), 'utf8');
    return { taken: /^k13 /m.test(text), added: /^new one$/m.test(text) };
  },

  destroy: (target) => rm(linesOf(target), { force: true }),
  forbid: (target) => chmod(linesOf(target), 0),
  recordBoundary: (raw) => raw.lastIndexOf('-- end'),
};
