import { writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { makePlace } from '../../cli/run-bkp.ts';
import { oneDatabase } from './one-database.ts';

/** What a person sees of it all: before a backup, in its output and in its snapshot. */
test('what is not in a backup is told before it, by it and afterwards', async () => {
  const { target, sql } = await oneDatabase(
    `CREATE TABLE t (v int); CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw;
     CREATE FOREIGN TABLE away (v int) SERVER far; CREATE UNLOGGED TABLE cache (v int)`,
  );
  const role = `online_${process.pid}`;
  sql(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`);
  onTestFinished(() => void sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
  const place = await makePlace();
  onTestFinished(() => place.remove());
  const policy = (user: string): string => `version: 1
name: shop
repositories:
  near: { type: directory, path: near }
targets:
  db: { type: postgres, host: ${target.host}, port: ${target.port}, database: ${target.database}, user: ${user}, password: "\${env:PASSWORD}" }
backups:
  shop: { targets: [db], repositories: [near], schedule: "0 0 1 1 *", retention: { keepLast: 2 } }
`;
  const run = async (args: string, password: string, exitCode: number): Promise<string> => {
    const ended = await place.run(args.split(' '), { env: { PASSWORD: password } });
    expect(ended.exitCode, ended.stdout + ended.stderr).toBe(exitCode);
    return ended.stdout + ended.stderr;
  };
  const password = target.password ?? '';
  const foreign = 'rows of foreign tables stay on their own server: public.away';
  const unlogged = 'unlogged tables are captured, but empty after a crash of the server: public.cache';

  await writeFile(place.path('bkp.yaml'), policy('postgres'));
  await run('init --repository near', password, 0);
  const looked = (await run('ping', password, 0)).split('\n');
  expect(looked.filter((line) => line.startsWith('warn'))).toEqual([
    expect.stringMatching(new RegExp(`^warn  target db +${foreign}$`)),
    expect.stringMatching(new RegExp(`^warn  target db +${unlogged}$`)),
  ]);
  expect(looked).toContain('      hint: capture that server too');
  const online = await run('validate --online --format json', password, 0);
  expect(JSON.parse(online.slice(online.indexOf('{'), online.lastIndexOf('}') + 1))).toMatchObject({
    ok: true,
    checks: [{ warning: false }, { warning: true, message: foreign }, { warning: true, message: unlogged }, {}],
  });
  expect(await run('apply --yes', password, 0)).toContain(foreign);
  const shown = await run('show shop@latest', password, 0);
  expect(shown).toContain(foreign);
  expect(shown).not.toContain(unlogged);

  await writeFile(place.path('bkp.yaml'), policy(role));
  const refused = await run('ping', role, 6);
  expect(refused).toMatch(
    /^FAIL {2}target db +the user may not read public\.cache, public\.t\n +hint: `GRANT pg_read_all_data/m,
  );
  expect(refused).toMatch(/^warn {2}target db +rows of foreign tables/m);
});
