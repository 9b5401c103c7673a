import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import { startHttpServer } from '../http-ready.ts';
import { makeHome } from '../postgres.ts';
import { type RunningService, type Service, serviceFolder } from '../service.ts';
import { javaHome } from './java.ts';
import { installByMaven } from './maven.ts';

const run = promisify(execFile);
const LAUNCHER = new URL('OpenSearchNode.java', import.meta.url).pathname;

const PLUGINS = [
  'transport-netty4-client',
  'reindex-client',
  'lang-painless',
  'opensearch-scripting-painless-spi',
  'analysis-common',
  'ingest-common',
  'mapper-extras-client',
  'lang-mustache-client',
  'parent-join-client',
  'percolator-client',
  'repository-url',
];

interface Release {
  readonly version: string;
  readonly java: number;
  readonly set: Service['set'];
  /** More than all have. */
  readonly plugins: readonly string[];
  /** Where it is installed. */
  readonly folder: string;
}

const OPENSEARCH_2: Release = { version: '2.19.6', java: 17, set: 'default', plugins: [], folder: 'server' };
const OPENSEARCH_3: Release = {
  version: '3.8.0',
  java: 21,
  set: 'all',
  // Of the other release nobody published it.
  plugins: ['repository-s3'],
  folder: 'server-s3',
};

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

const dependencies = ({ version, plugins }: Release): string =>
  `<dependencies>${[
    dependency('org.opensearch', 'opensearch', version),
    dependency('org.opensearch', 'opensearch-plugin-classloader', version),
    ...[...PLUGINS, ...plugins].map((plugin) => dependency('org.opensearch.plugin', plugin, version)),
    // The same as that of log4j-api among the others, or nothing starts.
    dependency('org.apache.logging.log4j', 'log4j-core', '2.25.4'),
  ].join('')}</dependencies>`;

async function install(release: Release, folder: string): Promise<void> {
  await installByMaven(folder, {
    inner: dependencies(release),
    goal: ['dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'],
    as: release.folder,
    finish: async (partial) => {
      const jars = readdirSync(join(partial, 'lib')).map((name) => join(partial, 'lib', name));
      const javac = join(javaHome(release.java), 'bin/javac');
      await run(javac, ['-proc:none', '-cp', jars.join(':'), '-d', join(partial, 'classes'), LAUNCHER]);
    },
  });
}

/** Starts an installed server; settings as its configuration has them, `secret:` before those of its keystore. */
export async function startOpenSearch(
  wanted: string,
  workDir: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  const release = [OPENSEARCH_2, OPENSEARCH_3].find(({ version }) => version === wanted);
  if (release === undefined) throw new Error(`no OpenSearch ${wanted}`);
  const { version, java, folder: name } = release;
  const folder = join(serviceFolder({ name: 'opensearch', version }), name);
  const home = makeHome(`opensearch-${version}`, workDir);
  const transport = await freePort();
  const { port, pid, stop } = await startHttpServer(
    `OpenSearch ${version}`,
    (free) => [
      join(javaHome(java), 'bin/java'),
      '-Xms1g',
      '-Xmx1g',
      // With it the server collects its garbage before it refuses requests for want of memory.
      '-XX:+UseG1GC',
      '-XX:TieredStopAtLevel=1',
      `-Dopensearch.path.conf=${join(home.folder, 'config')}`,
      // Plugins bring no Netty of their own here: it would be told twice.
      '-Dopensearch.set.netty.runtime.available.processors=false',
      '-cp',
      `${folder}/classes:${folder}/lib/*`,
      'OpenSearchNode',
      home.folder,
      `http.port=${free}`,
      `transport.port=${transport}`,
      ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
    ],
    {
      env: home.env,
      log: home.log,
      stopSignal: 'SIGTERM',
      path: '/_cluster/health',
      isReady: (status) => status === 200,
    },
  );
  return { connection: { url: `http://127.0.0.1:${port}`, pid: `${pid}`, repo: join(home.folder, 'repo') }, stop };
}

const service = (release: Release): Service => ({
  name: 'opensearch',
  version: release.version,
  kind: 'search',
  set: release.set,
  install: (folder) => install(release, folder),
  start: (_folder, workDir) => startOpenSearch(release.version, workDir),
});

export const openSearch2: Service = service(OPENSEARCH_2);
export const openSearch3: Service = service(OPENSEARCH_3);
