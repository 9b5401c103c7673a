// What the other scripts need before they can start: the npm packages of the lock file, and Debian packages. Plain
// JavaScript, because it runs on whatever Node the machine has (18 or newer).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';

/** Runs a program with the terminal of this one; ends this process with its exit code when it fails. */
export function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  if (error) fail(`cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

export function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

/** Installs the packages of the lock file where they are absent or older than it. */
export function ensureNodeModules() {
  const stamp = 'node_modules/.package-lock.json';
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync('package-lock.json').mtimeMs) return;
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

const onPath = (tool) =>
  (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(`${folder}/${tool}`));
const isThere = (tool) => (tool.includes('/') ? existsSync(tool) : onPath(tool));

// Debian makes and starts a cluster of its own with every PostgreSQL server it installs, unless it is told not to.
const CLUSTERS = '/etc/postgresql-common/createcluster.d';
const NO_CLUSTER = `${CLUSTERS}/bkp-tests.conf`;

function aptInstall(names) {
  const apt = (stdio, ...args) =>
    spawnSync('apt-get', args, { stdio, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }).status === 0;
  const argv = ['install', '-y', '--no-install-recommends', ...names];
  mkdirSync(CLUSTERS, { recursive: true });
  writeFileSync(NO_CLUSTER, 'create_main_cluster = false\n');
  try {
    return apt('ignore', ...argv) || (apt('inherit', 'update') && apt('inherit', ...argv));
  } finally {
    rmSync(NO_CLUSTER);
  }
}

/** Makes sure that programs are there: `{ zstd: 'zstd' }` maps a program, by name or path, to its Debian package. */
export function ensureTools(packages) {
  const missing = Object.keys(packages).filter((tool) => !isThere(tool));
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((tool) => packages[tool]))];
  const sentence = `bkp's tests need ${missing.join(', ')}: install the packages ${names.join(' ')} and run them again.`;
  if (process.getuid?.() !== 0 || !onPath('apt-get')) fail(sentence);
  if (!aptInstall(names) || !missing.every(isThere)) fail(sentence);
}
