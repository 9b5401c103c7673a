import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { validate, type ValidateOptions } from '../../src/commands/validate.ts';
import { systemPolicyFiles } from '../../src/system/policy-files.ts';
import { GOOD, memoryFiles } from '../policy/policy-text.ts';
import { recordingTerminal } from './recording-terminal.ts';

async function run(
  policy: string,
  options: Partial<ValidateOptions> = {},
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const terminal = recordingTerminal();
  const files = memoryFiles({ 'bkp.yaml': policy, '-': policy });
  const code = await validate({ path: 'bkp.yaml', format: 'text', strict: false, ...options }, terminal, files);
  return { code, ...terminal.written };
}

describe('bkp validate', () => {
  it('exits 0 with a warning on the error stream', async () => {
    const { code, out, err } = await run(GOOD);
    expect(code).toBe(0);
    expect(out).toBe('valid bkp.yaml, with 1 warning\n');
    expect(err).toMatch(/^bkp\.yaml:9:3 BKP2043 warning: backup "app" has one copy only/);
  });

  it('exits 4 for warnings with --strict', async () => {
    const { code, out, err } = await run(GOOD, { strict: true });
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toMatch(/BKP2043 backup[^]*\n1 error\n$/);
  });

  it('exits 4 for errors, and prints no result', async () => {
    const { code, out, err } = await run(GOOD.replace('daily', 'dayly'));
    expect({ code, out }).toEqual({ code: 4, out: '' });
    expect(err).toContain('did you mean "daily"?');
  });

  it.each([
    [GOOD, 0, true],
    [GOOD.replace('daily', 'dayly'), 4, false],
    ['', 4, false],
    [': [', 4, false],
  ])('prints JSON on every path', async (policy, code, valid) => {
    const result = await run(policy, { format: 'json' });
    expect(result.code).toBe(code);
    expect(result.err).toBe('');
    expect(JSON.parse(result.out)).toMatchObject({ formatVersion: 1, valid });
  });

  it('prints JSON for a file that is not there', async () => {
    const result = await run(GOOD, { format: 'json', path: 'none.yaml' });
    expect(result.code).toBe(4);
    expect(JSON.parse(result.out)).toMatchObject({
      valid: false,
      diagnostics: [{ code: 'BKP1000', range: { filename: 'none.yaml' } }],
    });
  });

  it('prints annotations', async () => {
    const { code, out } = await run(GOOD.replace('daily', 'dayly'), { format: 'github' });
    expect(code).toBe(4);
    expect(out).toMatch(/^::error file=bkp\.yaml,line=10,col=29,/);
  });

  it('reads standard input', async () => {
    const { code, out, err } = await run(GOOD, { path: '-' });
    expect(code).toBe(0);
    expect(out).toBe('valid standard input, with 1 warning\n');
    expect(err).toMatch(/^<stdin>:9:3 /);
  });
});

describe('examples', () => {
  const root = new URL('../../examples/', import.meta.url).pathname;
  const names = readdirSync(root);

  it('are there', () => {
    expect(names).toEqual(expect.arrayContaining(['files', 'offsite', 'sqlite-app', 'teams']));
  });

  it.each(names)('%s is valid, and warns of nothing but folders as repositories', async (name) => {
    const terminal = recordingTerminal();
    const path = `${root}${name}/bkp.yaml`;
    const code = await validate(
      { path, format: 'json', strict: false },
      terminal,
      systemPolicyFiles(async () => ''),
    );
    const { diagnostics } = JSON.parse(terminal.written.out) as { diagnostics: { code: string }[] };
    const codes = name === 'offsite' ? [] : ['BKP2044'];
    expect({ code, codes: [...new Set(diagnostics.map((one) => one.code))] }).toEqual({ code: 0, codes });
  });
});
