import { describe, expect, it } from 'vitest';
import { GOOD, problemsWith, resolved } from '../policy-text.ts';

const restore = (body: string): string => `${GOOD}restores:\n  r: ${body}\n`;
const to = (into: string, mode = ''): string =>
  restore(`{ from: app@2026-11-19, targets: { app-db: { into: ${into}${mode === '' ? '' : `, mode: ${mode}`} } } }`);
const CODES = ['BKP2050', 'BKP2051', 'BKP2052', 'BKP2053', 'BKP2055', 'BKP2001'];

describe('restores', () => {
  it.each(['app@20261119T020000Z-k3x9q2aa', 'app@2026-11-19', 'app@2028-02-29'])('may come from %s', async (from) => {
    expect(
      await problemsWith(restore(`{ from: "${from}", targets: { app-db: { into: { path: x } } } }`), ...CODES),
    ).toEqual([]);
  });

  it.each([
    ['app', 'BKP2050 "app" does not name a snapshot'],
    ['app@a@b', 'BKP2050 "app@a@b" does not name a snapshot'],
    ['app@2026-02-30', 'BKP2050 "2026-02-30" is neither a snapshot id nor a day'],
    ['app@newest', 'BKP2050 "newest" is neither a snapshot id nor a day'],
    ['app@20261119', 'BKP2050 "20261119" is neither a snapshot id nor a day'],
    ['app@latest', 'BKP2051 `latest` is another snapshot after every backup, so this restore would never be done'],
  ])('may not come from %s', async (from, problem) => {
    expect(
      await problemsWith(restore(`{ from: "${from}", targets: { app-db: { into: { path: x } } } }`), ...CODES),
    ).toEqual([`bkp.yaml:16:14 ${problem}`]);
  });

  it('may come from latest when they repeat', async () => {
    expect(
      await problemsWith(
        restore('{ from: app@latest, repeat: true, targets: { app-db: { into: { path: x } } } }'),
        ...CODES,
      ),
    ).toEqual([]);
  });

  it.each([
    ['the target itself', '{}', 'the target it came from'],
    ['the target by another way to write it', '{ path: ./data/../data/app.db }', 'the target it came from'],
  ])('may not go onto %s without replace', async (_name, into, what) => {
    const message = `bkp.yaml:16:41 BKP2052 restore "r" writes onto ${what}, which this policy protects`;
    expect(await problemsWith(to(into), ...CODES)).toEqual([message]);
    expect(await problemsWith(to(into, 'merge'), ...CODES)).toEqual([message]);
    expect(await problemsWith(to(into, 'replace'), ...CODES)).toEqual([]);
  });

  it('may not go onto another protected target', async () => {
    const text = GOOD.replace('  app-files:', '  other: { type: sqlite, path: /srv/other.db }\n  app-files:').replace(
      '[app-db,',
      '[app-db, other,',
    );
    const body = 'restores:\n  r: { from: app@2026-11-19, targets: { app-db: { into: { path: /srv/other.db } } } }\n';
    expect(await problemsWith(text + body, ...CODES)).toEqual([
      'bkp.yaml:17:41 BKP2052 restore "r" writes onto target "other", which this policy protects',
    ]);
  });

  it('know a root as another place for files', async () => {
    const files = (into: string): string =>
      restore(`{ from: app@2026-11-19, targets: { app-files: { into: ${into} } } }`);
    expect(await problemsWith(files('{ root: out }'), ...CODES)).toEqual([]);
    expect(await problemsWith(files('{}'), ...CODES)).toHaveLength(1);
    expect((await resolved(files('{ root: out }'))).restores[0]?.targets).toEqual({
      'app-files': { into: { root: '/work/out' }, mode: 'new' },
    });
  });

  it.each([
    ['{ pth: x }', '16:59 BKP2053 a sqlite target cannot be restored into "pth"; did you mean "path"?'],
    ['{ compression: gzip }', '16:59 BKP2053 a sqlite target cannot be restored into "compression"'],
    ['{ type: files }', '16:59 BKP2053 a sqlite target cannot be restored into "type"'],
    ['{ path: 5 }', '16:65 BKP2053 "path" must be string, and this is the number 5'],
    ['{ path: x, busyTimeout: soon }', '16:81 BKP2001 "soon" is not a duration'],
  ])('may not have %s', async (into, problem) => {
    expect(await problemsWith(to(into), ...CODES)).toEqual([`bkp.yaml:${problem}`]);
  });

  it('warn about a target that the backup does not capture today', async () => {
    const text = restore('{ from: app@2026-11-19, targets: { app-files: { into: { root: x } } } }').replace(
      '[app-db, app-files]',
      '[app-db]',
    );
    expect(await problemsWith(text, ...CODES)).toEqual([
      'bkp.yaml:16:41 BKP2055 backup "app" does not capture "app-files" today',
    ]);
  });
});
