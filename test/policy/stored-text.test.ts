import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { GOOD, resolved } from './policy-text.ts';

const stored = async (env: string, top = ''): Promise<string> => {
  const policy = await resolved(
    `${GOOD.replace('version: 1\n', `version: 1\n${top}`)}    hooks:\n      before:\n        - run: ["true"]\n          env:\n${env}`,
  );
  return policy.files['bkp.yaml'] ?? '';
};

describe('the policy text that snapshots keep', () => {
  it('is the text itself where nothing in it is secret', async () => {
    expect((await resolved(GOOD)).files).toEqual({ 'bkp.yaml': GOOD });
    const references = '            A: ${env:A}\n            B: "${file:b}${env:C}" # why\n';
    expect(await stored(references)).toContain(references);
  });

  it.each([
    ['A: plain # note', 'A: "***" # note'],
    ['A: two\n              words', 'A: "***"'],
    [`A: 'it''s'`, 'A: "***"'],
    ['A: &mine "quoted"\n            B: *mine', 'A: &mine "***"\n            B: *mine'],
    ['A: |\n              one\n              two\n\n            B: ${env:B}', 'A: "***"\n\n            B: ${env:B}'],
    ['A: ${env:A:-standing in}', 'A: "${env:A:-***}"'],
    ['A: Bearer ${env:A}', 'A: "***${env:A}"'],
  ])('masks literals of secret fields: %s', async (written, kept) => {
    const text = await stored(`            ${written}\n`);
    expect(text).toContain(`env:\n            ${kept}\n`);
    expect(parse(text)).toMatchObject({ backups: { app: { targets: ['app-db', 'app-files'] } } });
  });

  it('masks what stands behind an alias where it is written', async () => {
    const text = await stored('            <<: *shared\n', 'x-env: &shared { A: "literal" }\n');
    expect(text).toContain('x-env: &shared { A: "***" }');
  });
});
