import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, askJson, bulk, deleteIndices, indicesBelow } from './engines/elasticsearch/ask.ts';
import { connectionOf } from './services/connection.ts';

const ROOT = new URL('..', import.meta.url).pathname;
const { url = '', repo = '' } = connectionOf('opensearch-2.19.6');

const sourcesOf = async (index: string): Promise<readonly string[]> => {
  await ask(url, 'POST', `${index}/_refresh`);
  const found = await ask(url, 'GET', `${index}/_search?sort=_id&filter_path=hits.hits._source`);
  return (JSON.parse(found) as { readonly hits: { readonly hits: readonly unknown[] } }).hits.hits.map((hit) =>
    JSON.stringify(hit),
  );
};

test('elasticsearch is validated, planned, applied, damaged and restored', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bkp-kestra-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  onTestFinished(() => deleteIndices(url, 'kestra_'));
  cpSync(join(ROOT, 'examples/elasticsearch'), root, { recursive: true });
  await askJson(url, 'PUT', 'kestra_executions', {
    settings: { number_of_shards: 2, number_of_replicas: 0 },
    aliases: { executions: {} },
  });
  await bulk(url, 'kestra_executions', [
    '{"index":{"_id":"1"}}\n{"state":"RUNNING"}',
    '{"index":{"_id":"2"}}\n{"state":"SUCCESS"}',
  ]);
  await bulk(url, 'kestra_flows', ['{"index":{"_id":"hello"}}\n{"revision":3}']);
  await bulk(url, 'kestra_x_tmp', ['{"index":{"_id":"1"}}\n{}']);
  const bkp = (...args: readonly string[]): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, XDG_CACHE_HOME: join(root, '.cache'), KESTRA_ES_URL: url },
    });
  expect(bkp('validate')).toContain('valid bkp.yaml');
  expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
  bkp('apply', '--yes', '--init-repositories');
  expect(bkp('plan')).toContain('No changes.');
  const before = [await sourcesOf('kestra_executions'), await sourcesOf('kestra_flows')];

  await bulk(url, 'kestra_executions', ['{"delete":{"_id":"1"}}', '{"index":{"_id":"2"}}\n{"state":"LOST"}']);
  await ask(url, 'DELETE', 'kestra_flows');
  bkp('restore', 'kestra@latest', '--mode', 'merge', '--yes');
  expect(await sourcesOf('kestra_flows')).toEqual(before[1]);
  expect((await sourcesOf('kestra_executions')).join('')).toContain('RUNNING');
  bkp('restore', 'kestra@latest', '--mode', 'replace', '--yes');
  expect([await sourcesOf('kestra_executions'), await sourcesOf('kestra_flows')]).toEqual(before);
  expect(await askJson(url, 'GET', '_alias/executions')).toEqual({
    kestra_executions: { aliases: { executions: {} } },
  });
  expect(await indicesBelow(url, 'kestra_x')).toEqual(['kestra_x_tmp']);
  expect(bkp('verify', '--deep')).not.toContain('DAMAGED');
});

test('snapshots of the server are validated, planned, applied, damaged, restored and verified', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bkp-kestra-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  onTestFinished(() => deleteIndices(url, 'kestra_'));
  onTestFinished(async () => void (await ask(url, 'DELETE', '_snapshot/kestra-snapshots').catch(() => '')));
  cpSync(join(ROOT, 'examples/elasticsearch'), root, { recursive: true });
  await bulk(url, 'kestra_executions', ['{"index":{"_id":"1"}}\n{"state":"RUNNING"}']);
  await bulk(url, 'kestra_flows', ['{"index":{"_id":"hello"}}\n{"revision":3}']);
  const bkp = (...args: readonly string[]): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args, '-f', 'snapshots.yaml'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        XDG_CACHE_HOME: join(root, '.cache'),
        KESTRA_ES_URL: url,
        KESTRA_SNAPSHOTS: join(repo, 'kestra-snapshots'),
      },
    });
  expect(bkp('validate')).toContain('valid snapshots.yaml');
  expect(bkp('plan', '--init-repositories')).toContain('first-snapshot');
  bkp('apply', '--yes', '--init-repositories');
  expect(bkp('plan')).toContain('No changes.');
  const before = [await sourcesOf('kestra_executions'), await sourcesOf('kestra_flows')];
  await bulk(url, 'kestra_executions', ['{"index":{"_id":"1"}}\n{"state":"LOST"}']);
  await ask(url, 'DELETE', 'kestra_flows');
  bkp('restore', 'hourly@latest', '--mode', 'merge', '--yes');
  expect(await sourcesOf('kestra_flows')).toEqual(before[1]);
  expect((await sourcesOf('kestra_executions')).join('')).toContain('LOST');
  bkp('restore', 'hourly@latest', '--mode', 'replace', '--yes');
  expect([await sourcesOf('kestra_executions'), await sourcesOf('kestra_flows')]).toEqual(before);
  expect(bkp('verify', '--deep')).not.toContain('DAMAGED');
});

test('data streams are validated, planned, applied, damaged and restored', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bkp-logs-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  onTestFinished(async () => {
    await ask(url, 'DELETE', '_data_stream/applogs-web').catch(() => '');
    await ask(url, 'DELETE', '_index_template/applogs');
    for (const name of await indicesBelow(url, 'bkp_old_*.ds-applogs-')) await ask(url, 'DELETE', name);
    await ask(url, 'DELETE', '_snapshot/log-snapshots').catch(() => '');
  });
  cpSync(join(ROOT, 'examples/elasticsearch'), root, { recursive: true });
  const template = { index_patterns: ['applogs-*'], priority: 700, data_stream: {} };
  await askJson(url, 'PUT', '_index_template/applogs', template);
  const line = (id: number): string => `{"create":{"_id":"${id}"}}\n{"@timestamp":"2026-11-19T02:00:00Z","n":${id}}`;
  await bulk(url, 'applogs-web', [line(1), line(2)]);
  const bkp = (...args: readonly string[]): string =>
    execFileSync('node', [join(ROOT, 'src/bkp.cjs'), ...args, '-f', 'streams.yaml'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        XDG_CACHE_HOME: join(root, '.cache'),
        LOGS_ES_URL: url,
        LOG_SNAPSHOTS: join(repo, 'log-snapshots'),
      },
    });
  expect(bkp('validate')).toContain('valid streams.yaml');
  bkp('apply', '--yes', '--init-repositories');
  expect(bkp('plan')).toContain('No changes.');
  expect(bkp('show', 'logs@latest')).toMatch(/dataStreams\.applogs-web +1\n +documents\.applogs-web +2/);
  const before = await sourcesOf('applogs-web');
  await bulk(url, 'applogs-web', [line(3)]);
  expect(bkp('restore', 'logs@latest', '--mode', 'replace', '--yes')).toContain('1 data stream with 3 documents');
  expect(await sourcesOf('applogs-web')).toEqual(before);
  await ask(url, 'DELETE', '_data_stream/applogs-web');
  await ask(url, 'DELETE', '_index_template/applogs');
  bkp('restore', 'logs@latest', '--yes');
  expect(await sourcesOf('applogs-web')).toEqual(before);
  expect(await askJson(url, 'GET', '_index_template/applogs')).toMatchObject({
    index_templates: [{ name: 'applogs' }],
  });
});
