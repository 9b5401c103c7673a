import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/specs.ts';
import { EXIT_MEANINGS } from '../../src/errors.ts';
import { BKP_VERSION } from '../../src/version.ts';
import { jsonOf, makePlace, PROGRAM, type Place } from './run-bkp.ts';

let place: Place;
beforeAll(async () => {
  place = await makePlace();
});
afterAll(() => place.remove());

describe('the command line', () => {
  it('prints its version', async () => {
    expect(await place.bkp('--version')).toEqual({ exitCode: 0, stdout: `${BKP_VERSION}\n`, stderr: '' });
  });

  it('lists every command and every exit code', async () => {
    const { stdout, stderr } = await place.bkp('--help');
    for (const { name, description } of COMMANDS) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(stdout.replaceAll(/\s+/g, ' ')).toContain(description);
    }
    for (const [code, meaning] of Object.entries(EXIT_MEANINGS)) expect(stdout).toContain(`${code}  ${meaning}`);
    expect(stderr).toBe('');
    expect(await place.bkp('')).toMatchObject({ stdout });
    expect(await place.bkp('help')).toMatchObject({ stdout });
  });

  it.each(COMMANDS)('describes $name with all its options', async ({ name, description, options, examples }) => {
    const { stdout } = await place.bkp(`help ${name}`);
    expect(stdout).toContain(description);
    for (const { flags } of options) expect(stdout).toContain(flags);
    for (const example of examples ?? []) expect(stdout).toContain(example);
    expect((await place.bkp(`${name} --help`)).stdout).toBe(stdout);
  });

  it.each([
    ['lst', 'cannot read the command line: unknown command "lst"', 'did you mean list?'],
    ['plan --ot', 'cannot read the command line: unknown option "--ot"', 'did you mean one of --at, --out?'],
    ['xyzzy', 'cannot read the command line: unknown command "xyzzy"', '`bkp --help` lists the commands'],
    ['help xyzzy', 'cannot show help: unknown command "xyzzy"', '`bkp --help` lists the commands'],
    [
      'backup',
      'cannot read the command line: missing required argument "name"',
      '`bkp help backup` shows what it takes',
    ],
    [
      'plan --format pdf',
      'cannot read the command line: option "--format <format>" argument "pdf" is invalid. Allowed choices are text, json, markdown, github',
      '`bkp help plan` shows what it takes',
    ],
    [
      'plan one two',
      'cannot read the command line: too many arguments for "plan". Expected 0 arguments but got 2: one, two',
      '`bkp help plan` shows what it takes',
    ],
    [
      'plan -f a.yaml -f b.yaml',
      'cannot read several policies: -f was given more than once',
      'join files with `include:` in one policy',
    ],
    ['completion zssh', 'cannot complete for shell "zssh"; did you mean "zsh"?', 'shells: bash, zsh, fish'],
  ])('refuses %s', async (args, message, hint) => {
    const { stdout, stderr } = await place.bkp(args, 4);
    expect(stderr.split('\n').slice(-3)).toEqual([`error: ${message}`, `hint: ${hint}`, '']);
    expect(stdout).toBe('');
  });

  it('says wrong usage as JSON where JSON was asked for', async () => {
    for (const args of ['lst --format json', 'plan --ot --format=json', 'show --format json']) {
      const run = await place.bkp(args, 4);
      expect(jsonOf(run)).toEqual({
        formatVersion: 1,
        type: 'error',
        exitCode: 4,
        error: {
          code: 'usage',
          message: expect.stringContaining('cannot read the command line'),
          hint: expect.any(String),
        },
      });
    }
  });

  it('says that the result could not be written', () => {
    const into = (redirection: string): readonly unknown[] => {
      const command = `"${process.execPath}" "${PROGRAM}" --help --format json ${redirection}`;
      const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
      return [status, stderr];
    };
    expect(into('> /dev/full')).toEqual([1, 'error: cannot write the result: no space is left\n']);
    expect(into('> /dev/null 2> /dev/full')).toEqual([0, '']);
  });

  it('says in one sentence that Node.js is too old', async () => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.19.1' } });
      Object.defineProperty(process, 'version', { value: 'v18.19.1' });`;
    await writeFile(place.path('old.cjs'), pretend);
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--require', place.path('old.cjs'), PROGRAM, 'list'],
      {
        encoding: 'utf8',
      },
    );
    expect([status, stdout, stderr]).toEqual([1, '', 'bkp needs Node.js 22.15 or newer; this is v18.19.1.\n']);
    // What an old Node must be able to parse.
    expect(await readFile(PROGRAM, 'utf8')).not.toMatch(/=>|\b(?:const|let|class|async|await)\b|`|\?\.|\?\?|\.\.\./);
  });
});
