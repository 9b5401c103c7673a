import { describe, expect, it } from 'vitest';
import { GOOD, problemsOf, resolved } from './policy-text.ts';

describe('reading YAML', () => {
  it.each([
    ['a key twice', 'version: 1\nversion: 1\n', 'bkp.yaml:2:1 BKP1001 the same key twice in one map'],
    ['an unknown tag', 'version: !env X\n', 'bkp.yaml:1:10 BKP1001 unknown tag: !env'],
    [
      'an alias without anchor',
      'version: 1\nname: *who\n',
      'bkp.yaml:2:7 BKP1001 no anchor &who stands before this alias',
    ],
    ['an anchor inside itself', 'x-a: &a [*a]\n', 'bkp.yaml:1:10 BKP1001 anchor &a contains itself'],
    ['a merge of a number', 'x-a: &a 1\n<<: *a\n', 'bkp.yaml:2:1 BKP1001 merge sources must be maps or map aliases'],
    ['two documents', 'version: 1\n---\nversion: 1\n', 'bkp.yaml:2:1 BKP1001 more than one document in a file'],
    ['a key that is a list', '? [a]\n: 1\n', 'bkp.yaml:1:3 BKP1001 a key must be text'],
    ['a tab as indent', 'targets:\n\tx: 1\n', 'bkp.yaml:2:1 BKP1001 tabs are not allowed as indentation'],
    ['the rules of YAML 1.1', '%YAML 1.1\n---\nversion: 1\n', 'bkp.yaml:1:1 BKP1001 YAML 1.1 is not read here'],
    ['an empty file', '', 'bkp.yaml:1:1 BKP1010 the policy is empty'],
    ['comments alone', '# nothing\n', 'bkp.yaml:1:1 BKP1010 the policy is empty'],
    ['a list', '- 1\n', 'bkp.yaml:1:1 BKP1004 the policy must be a map, not a list'],
    ['deep brackets', `a: ${'['.repeat(5000)}\n`, 'bkp.yaml:1:1 BKP1001 nested more than 64 deep'],
    ['deep question marks', `${'? '.repeat(5000)}\n`, 'bkp.yaml:1:1 BKP1001 nested more than 64 deep'],
    [
      'deep indents',
      Array.from({ length: 100 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      'bkp.yaml:65:1 BKP1001 nested more than 64 deep',
    ],
    ['a megabyte', `# ${'x'.repeat(1024 * 1024)}\n`, 'bkp.yaml:1:1 BKP1001 longer than 1 MiB'],
  ])('refuses %s', async (_name, text, problem) => {
    expect(await problemsOf(text)).toContain(problem);
  });

  it('stops an alias bomb', async () => {
    const levels = Array.from(
      { length: 9 },
      (_, i) => `x-${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
    );
    const problems = await problemsOf(`x-0: &l0 [a]\n${levels.join('\n')}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/BKP1001 excessive alias count/);
  });

  it('knows anchors, merge keys and x- keys', async () => {
    const policy = await resolved(`x-files: &files
  type: files
  exclude: ["*.log"]
${GOOD.replace('app-files: { type: files, paths: [conf, /etc/app] }', 'app-files: { <<: *files, paths: [conf] }')}`);
    expect(policy.targets['app-files']?.config).toEqual({ type: 'files', exclude: ['*.log'], paths: ['/work/conf'] });
  });

  it('shows a mistake behind a merge key where it is written', async () => {
    const text = `x-files: &files\n  type: files\n  exclud: [a]\n${GOOD.replace('{ type: files, paths: [conf, /etc/app] }', '{ <<: *files, paths: [conf] }')}`;
    expect(await problemsOf(text)).toContain(
      'bkp.yaml:3:3 BKP1002 unknown key "exclud" in target "app-files"; did you mean "exclude"?',
    );
  });

  it('shows a mistake behind an alias at its anchor', async () => {
    const text = `x-r: &keep { dayly: 7 }\n${GOOD.replace('{ keepLast: 2, daily: 7 }', '*keep')}`;
    expect(await problemsOf(text)).toContain(
      'bkp.yaml:1:14 BKP1002 unknown key "dayly" in retention; did you mean "daily"?',
    );
  });

  it('warns about values that older YAML reads as something else', async () => {
    const text = GOOD.replace(
      '    schedule: "0 2 * * *"',
      '    schedule: "0 2 * * *"\n    hooks: { before: [{ run: [set-mode, on] }] }',
    );
    expect(await problemsOf(text)).toContain(
      'bkp.yaml:15:41 BKP1012 "on" is text here and something else to readers of YAML 1.1',
    );
  });

  it('does not quote the text in syntax errors', async () => {
    const problems = await problemsOf('a: "x\n  hunter2hunter2" hunter2hunter2 : [\n');
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});
