import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, askJson } from '../../engines/elasticsearch/ask.ts';
import { openSearch2 } from '../../services/search/opensearch.ts';
import { serviceFolder } from '../../services/service.ts';
import type { Lab } from '../lab.ts';

const DOCUMENTS = 200_000;
const AT_ONCE = 2000;
const ELASTICDUMP = 'elasticdump@6.125.1';
const SHAPE = { number_of_shards: 3, number_of_replicas: 0 };

/** A private OpenSearch with documents of about 1 KB in one index. */
export interface BenchSearch {
  readonly url: string;
  readonly target: Readonly<Record<string, unknown>>;
  readonly remove: (index: string) => Promise<void>;
  /** An empty index of the same shape. */
  readonly make: (index: string) => Promise<void>;
  /** Throws unless an index has all documents. */
  readonly assertWhole: (index: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

export const INDEX = 'bench-events';

/** Text that compresses as logs do, with a number that many programs cannot keep. */
function documentOf(n: number): string {
  const words = Array.from(
    { length: 60 },
    (_, part) => `${((n * 2_654_435_761 + part * 40_503) % 1_000_003).toString(36)}`,
  );
  return `{"index":{"_id":"${n}"}}\n{"n":${n},"big":9007199254740993,"level":"info","at":"2026-01-01T00:00:00Z","message":"GET /api/items/${n} took ${n % 977} ms for tenant ${n % 41}","trace":"${words.join(' ')}","tags":["web","prod","z${n % 7}"],"agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"}\n`;
}

export async function startBenchSearch(): Promise<BenchSearch> {
  const workDir = mkdtempSync(join(tmpdir(), 'bkp-bench-search-'));
  chmodSync(workDir, 0o755);
  const folder = serviceFolder(openSearch2);
  await openSearch2.install(folder);
  const { connection, stop } = await openSearch2.start(folder, workDir);
  const { url = '', repo = '' } = connection;
  const server: BenchSearch = {
    url,
    target: { type: 'elasticsearch', url, indices: [INDEX], globals: false },
    remove: async (index) => void (await ask(url, 'DELETE', `${index}*?expand_wildcards=all`)),
    make: async (index) => void (await askJson(url, 'PUT', index, { settings: SHAPE })),
    async assertWhole(index) {
      await ask(url, 'POST', `${index}/_refresh`);
      const { count } = (await askJson(url, 'GET', `${index}/_count`)) as { readonly count: number };
      if (count !== DOCUMENTS) throw new Error(`${index} has ${count} documents, not ${DOCUMENTS}`);
    },
    async stop() {
      await stop();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
  try {
    await fill(server, join(repo, 'bench'));
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function fill({ url, make, assertWhole }: BenchSearch, repository: string): Promise<void> {
  await make(INDEX);
  for (let n = 0; n < DOCUMENTS; n += AT_ONCE) {
    const lines = Array.from({ length: AT_ONCE }, (_, more) => documentOf(n + more)).join('');
    await ask(url, 'POST', `${INDEX}/_bulk`, lines, 'application/x-ndjson');
  }
  await assertWhole(INDEX);
  await ask(url, 'POST', `${INDEX}/_forcemerge?max_num_segments=5`);
  await askJson(url, 'PUT', '_snapshot/bench', { type: 'fs', settings: { location: repository } });
}

/** The program of elasticdump, from npm. */
export function installElasticdump({ dataFolder }: Lab): string {
  const folder = join(dataFolder, ELASTICDUMP);
  const program = join(folder, 'node_modules/.bin/elasticdump');
  if (!existsSync(program))
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, ELASTICDUMP], {
      stdio: 'ignore',
    });
  return program;
}
