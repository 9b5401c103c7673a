import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import { startHttpServer } from '../http-ready.ts';
import { makeHome } from '../postgres.ts';
import type { Service } from '../service.ts';
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

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;

const dependencies = (version: string): string =>
  `<dependencies>${[
    dependency('org.opensearch', 'opensearch', version),
    dependency('org.opensearch', 'opensearch-plugin-classloader', version),
    ...PLUGINS.map((plugin) => dependency('org.opensearch.plugin', plugin, version)),
    // The same as that of log4j-api among the others, or nothing starts.
    dependency('org.apache.logging.log4j', 'log4j-core', '2.25.4'),
  ].join('')}</dependencies>`;

const openSearch = (version: string, java: number, set: Service['set']): Service => ({
  name: 'opensearch',
  version,
  kind: 'search',
  set,
  install: async (folder) =>
    void (await installByMaven(folder, {
      inner: dependencies(version),
      goal: ['dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'],
      finish: async (partial) => {
        const jars = readdirSync(join(partial, 'lib')).map((name) => join(partial, 'lib', name));
        const javac = join(javaHome(java), 'bin/javac');
        await run(javac, ['-proc:none', '-cp', jars.join(':'), '-d', join(partial, 'classes'), LAUNCHER]);
      },
    })),
  start: async (folder, workDir) => {
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
        '-cp',
        `${folder}/server/classes:${folder}/server/lib/*`,
        'OpenSearchNode',
        home.folder,
        `http.port=${free}`,
        `transport.port=${transport}`,
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
  },
});

export const openSearch2: Service = openSearch('2.19.6', 17, 'default');
export const openSearch3: Service = openSearch('3.8.0', 21, 'all');
