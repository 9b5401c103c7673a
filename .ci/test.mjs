// `npm test`: installs what is missing, then runs every test. Nothing is skipped: what cannot be had is a failure.
import { ensureNodeModules, ensureTools, run } from './ensure.mjs';

const TOOLS = {
  tar: 'tar',
  zstd: 'zstd',
  gzip: 'gzip',
  setfattr: 'attr',
  setfacl: 'acl',
  setpriv: 'util-linux',
  openssl: 'openssl',
  script: 'bsdutils',
  age: 'age',
  git: 'git',
  mvn: 'maven',
  javac: 'openjdk-17-jdk-headless',
  python3: 'python3',
  pip3: 'python3-pip',
  'age-keygen': 'age',
  'ssh-keygen': 'openssh-client',
  '/usr/lib/postgresql/15/bin/initdb': 'postgresql-15',
  '/usr/lib/postgresql/15/bin/pg_dump': 'postgresql-client-15',
  '/usr/sbin/mariadbd': 'mariadb-server',
  'mariadb-dump': 'mariadb-client',
  mydumper: 'mydumper',
  'redis-server': 'redis-server',
  'redis-cli': 'redis-tools',
};
/** What downloads and unpacks the servers that Debian does not have. */
const TOOLS_OF_ALL = { unzip: 'unzip', '/usr/lib/x86_64-linux-gnu/libaio.so.1': 'libaio1' };
// The full set of servers runs only the suites that talk to servers: the rest does not change with them.
const ONLY_SERVERS = ['--project', 'servers'];

const given = process.argv.slice(2);
const all = given[0] === '--all';
const chosen = all ? (given.length > 1 ? given.slice(1) : ONLY_SERVERS) : given;
ensureNodeModules();
ensureTools(all ? { ...TOOLS, ...TOOLS_OF_ALL } : TOOLS);
run('npx', ['--no-install', 'vitest', 'run', '--config', 'test/vitest.config.ts', ...chosen], {
  BKP_TEST_SET: all ? 'all' : 'default',
});
