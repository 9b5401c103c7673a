import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { command } from '../../../src/engines/command.ts';
import type { TargetOf } from '../../../src/engines/engine.ts';
import { testContext } from '../../test-context.ts';
import { commandFixture } from '../command-fixture.ts';
import { expectNothingLeft } from '../conformance-round-trip.ts';
import { incoming, newRepository, restore, take } from '../workbench.ts';

type Target = TargetOf<'command'>;

const sh = (script: string): readonly string[] => ['sh', '-c', script];
const HELLO = sh('echo hello; echo "# end"');

const targetWith = (more: Partial<Target> = {}): Target => ({
  type: 'command',
  capture: HELLO,
  restore: sh('cat > /dev/null'),
  ...more,
});

async function capturing(more: Partial<Target>) {
  const { context, folder } = await testContext();
  const repository = await newRepository(folder, context);
  const target = targetWith(more);
  return { context, folder, repository, target, taken: take(commandFixture, target, repository, context) };
}

describe('a capture', () => {
  test.each<[string, Partial<Target>, object]>([
    ['whose program fails', { capture: sh('echo some; exit 4') }, { code: 'tool' }],
    [
      'whose program fails at its end mark',
      { capture: sh('echo "# end"; exit 4'), endMark: '# end' },
      { code: 'target' },
    ],
    ['whose program is killed', { capture: sh('echo some; kill -9 $$'), endMark: 'some' }, { code: 'target' }],
    ['without its end mark', { capture: sh('echo hello'), endMark: '# end' }, { code: 'integrity' }],
    [
      'with more after its end mark',
      { capture: sh('echo "# end"; echo more'), endMark: '# end' },
      { code: 'integrity' },
    ],
    ['without a byte', { capture: sh(':') }, { code: 'integrity' }],
    ['that its check refuses', { check: sh('cat > /dev/null; echo no such line >&2; exit 1') }, { code: 'integrity' }],
    ['that its check refuses unread', { check: sh('exit 1') }, { code: 'integrity' }],
    ['whose facts are no JSON', { facts: sh('cat > /dev/null; echo 12 lines') }, { code: 'target' }],
    ['whose facts are a list', { facts: sh('cat > /dev/null; echo "[1]"') }, { code: 'target' }],
    ['whose facts do not end', { facts: sh('yes') }, { code: 'integrity' }],
    ['of a program that is nowhere', { capture: ['no-such-program'] }, { code: 'tool' }],
  ])('%s fails and leaves nothing', async (_name, more, error) => {
    const { taken, repository, context } = await capturing(more);
    await expect(taken).rejects.toMatchObject(error);
    expect(await repository.list('', 'deep')).toEqual([]);
    await expectNothingLeft(context);
  });

  test('takes its end mark with line ends after it', async () => {
    const { taken } = await capturing({ endMark: '# end' });
    expect((await taken).artifacts).toMatchObject([{ format: 'command' }]);
  });

  test('believes a check that has seen enough', async () => {
    const capture = sh('head -c 3000000 /dev/zero; echo "# end"');
    const { taken } = await capturing({ capture, check: sh('head -c 10 > /dev/null'), endMark: '# end' });
    expect((await taken).facts).toEqual({});
  });

  test('runs where it is told to, with its environment and no more', async () => {
    const { folder, taken, context } = await capturing({
      capture: sh('pwd; echo "$SECRET"; env | grep -c ^BKP_ || true'),
      env: { SECRET: 'from the policy' },
      directory: '/',
      check: sh('grep -qx "from the policy"'),
    });
    const path = join(folder, 'out');
    await incoming(await taken, context)[0]?.into({ kind: 'file', path });
    expect(await readFile(path, 'utf8')).toBe('/\nfrom the policy\n0\n');
  });
});

describe('a restore', () => {
  async function restoring(more: Partial<Target>, captured: Partial<Target> = {}) {
    const { context, folder, target, taken: taking } = await capturing(captured);
    const taken = await taking;
    const touched = join(folder, 'touched');
    const mark = `echo "$BKP_MODE $BKP_SNAPSHOT" > '${touched}'; cat >> '${touched}'`;
    const destination = { ...target, restore: sh(mark), ...more };
    const outcome = (mode: 'new' | 'replace' | 'merge') => restore(commandFixture, taken, destination, mode, context);
    return { outcome, touched, context };
  }

  test('tells the program the mode and the snapshot', async () => {
    const { outcome, touched } = await restoring({});
    await outcome('replace');
    expect(await readFile(touched, 'utf8')).toBe('replace 20261119T020000Z-k3x9q2aa\nhello\n# end\n');
  });

  test.each(['new', 'merge'] as const)('in mode %s needs a program that is said to know it', async (mode) => {
    const { outcome, touched } = await restoring({});
    await expect(outcome(mode)).rejects.toMatchObject({ hint: expect.stringContaining('--mode replace') as unknown });
    expect(existsSync(touched)).toBe(false);
  });

  test.each<[string, Partial<Target>]>([
    ['refuses', { check: sh('cat > /dev/null; exit 1') }],
    ['misses its end mark in', { endMark: 'another' }],
    ['counts otherwise in', { facts: sh('cat > /dev/null; echo "{\\"lines\\": 3}"') }],
  ])('does not begin where a judge %s the artifact', async (_name, more) => {
    const facts = sh('printf "{\\"lines\\": %d}" $(wc -l)');
    const { outcome, touched, context } = await restoring(more, { facts });
    await expect(outcome('replace')).rejects.toMatchObject({ code: 'integrity' });
    expect(existsSync(touched)).toBe(false);
    await expectNothingLeft(context);
  });

  test('counts what came back, and says where it differs', async () => {
    const facts = sh('printf "{\\"lines\\": %d}" $(wc -l)');
    const { outcome } = await restoring({ capture: sh('echo hello') }, { facts });
    await expect(outcome('replace')).rejects.toMatchObject({
      code: 'integrity',
      message: 'cannot trust what was restored: lines is 1, not 2',
    });
  });

  test('that the program refuses is a refusal', async () => {
    const { outcome } = await restoring({ restore: sh('echo taken >&2; exit 73'), modes: ['new'] });
    await expect(outcome('new')).rejects.toMatchObject({
      code: 'guard',
      message: expect.stringContaining('taken') as unknown,
    });
  });

  test('that fails says so', async () => {
    const { outcome } = await restoring({ restore: sh('echo disk full >&2; exit 2') });
    await expect(outcome('replace')).rejects.toMatchObject({
      code: 'tool',
      message: 'cannot restore with sh: it exited 2: disk full',
    });
  });
});

test('its programs are looked for before anything runs', async () => {
  const { context } = await testContext({ environment: { PATH: '/nonexistent' } });
  const { problems } = await command.probe(targetWith({ check: ['/bin/true'] }), context);
  expect(problems.map(({ message }) => message)).toEqual(['sh (`capture`) is not on PATH']);
});
