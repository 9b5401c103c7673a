import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../../src/commands/completion.ts';
import { COMMANDS } from '../../src/commands/specs.ts';
import { bashCompletion, fishCompletion, zshCompletion } from '../../src/report/completion-scripts.ts';
import { GOOD } from '../policy/policy-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-completion-'));
  writeFileSync(
    join(folder, 'bkp.yaml'),
    `${GOOD}  # a comment\n  wiki:\n    targets: [app-db]\nrestores:\n  not-a-backup: {}\n`,
  );
  writeFileSync(join(folder, 'bkp.bash'), bashCompletion(commandLine(COMMANDS)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a real bash offers after these words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `source ./bkp.bash; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _bkp; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const output = execFileSync('bash', ['-c', script, 'bash', ...words], { cwd: folder, encoding: 'utf8' });
  return output.split('\n').filter((line) => line !== '');
}

describe('bash completion', () => {
  it('offers commands', () => {
    expect(offered('bkp', 'val')).toEqual(['validate']);
    expect(offered('bkp', '')).toEqual(expect.arrayContaining(['plan', 'apply', 'restore', '--help']));
  });

  it('offers options and their choices', () => {
    expect(offered('bkp', 'validate', '--st')).toEqual(['--strict']);
    expect(offered('bkp', 'validate', '--format', '')).toEqual(['text', 'json', 'github']);
    expect(offered('bkp', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('offers names of backups from the policy', () => {
    expect(offered('bkp', 'backup', '')).toEqual(['app', 'wiki']);
    expect(offered('bkp', 'plan', '--backup', 'w')).toEqual(['wiki']);
    expect(offered('bkp', 'restore', 'a')).toEqual(['app@latest']);
  });

  it('offers files where a file is wanted', () => {
    expect(offered('bkp', 'plan', '-f', 'bkp.y')).toEqual(['bkp.yaml']);
  });
});

describe('scripts for other shells', () => {
  it.each([
    ['zsh', zshCompletion(commandLine(COMMANDS))],
    ['fish', fishCompletion(commandLine(COMMANDS))],
  ])('%s knows every command and option, with balanced quotes', (_shell, script) => {
    for (const { name, options } of COMMANDS) {
      expect(script).toContain(name);
      for (const { flags } of options) expect(script).toContain(/--([a-z-]+)/.exec(flags)?.[1]);
    }
    for (const line of script.split('\n').filter((one) => !one.startsWith('#'))) {
      expect((line.replaceAll(`'\\''`, '').match(/'/g) ?? []).length % 2, line).toBe(0);
    }
  });
});
