import { describe, expect, it } from 'vitest';
import { GOOD, problemsOf, problemsWith } from '../policy-text.ts';

const SQLITE = /\{ type: sqlite, path: data\/app\.db[^}]*\}/;
const withTarget = (target: string): string => GOOD.replace(SQLITE, `{ type: command, ${target} }`);

describe('a target of programs', () => {
  it('takes references in its environment', async () => {
    const text = withTarget('capture: [a], restore: [b], env: { TOKEN: "${env:TOKEN}" }');
    expect(await problemsWith(text, 'BKP2030', 'BKP2034', 'BKP2062')).toEqual([]);
  });

  it('takes nothing else there', async () => {
    const found = await problemsOf(withTarget('capture: [a], restore: [b], env: { TOKEN: abc }'));
    expect(found.filter((line) => line.includes('BKP2062'))).toHaveLength(1);
    expect(found.join('\n')).not.toContain('abc');
  });

  it.each(['capture', 'restore', 'check', 'facts'])('takes no reference in %s', async (key) => {
    const programs = { capture: '[a]', restore: '[b]', check: '[c]', facts: '[d]', [key]: '["${env:TOKEN}"]' };
    const text = withTarget(
      Object.entries(programs)
        .map(([name, argv]) => `${name}: ${argv}`)
        .join(', '),
    );
    expect(await problemsWith(text, 'BKP2030')).toHaveLength(1);
  });

  it('is the same place only where the whole program is', async () => {
    const restore = (into: string): string => `${withTarget('capture: [a], restore: [sh, load, one]')}
restores:
  back: { from: app@2026-11-19, targets: { app-db: { into: { restore: ${into} } } } }\n`;
    expect(await problemsWith(restore('[sh, load, two]'), 'BKP2052')).toEqual([]);
    expect(await problemsWith(restore('[sh, load, one]'), 'BKP2052')).toHaveLength(1);
  });
});
