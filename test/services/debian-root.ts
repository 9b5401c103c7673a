import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { wrapPrograms } from './debian-programs.ts';

const run = promisify(execFile);
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The mirror that the machine itself gets its packages from. */
function mirrorOf(sources: string): string | undefined {
  const lines = sources.split('\n').filter((line) => /^(URIs:|deb )/.test(line));
  return lines.map((line) => /\S+\/debian\/?(?=\s|$)/.exec(line)?.[0]).find((uri) => uri !== undefined);
}

function mirror(): string {
  for (const path of SOURCES) {
    const uri = existsSync(path) ? mirrorOf(readFileSync(path, 'utf8')) : undefined;
    if (uri !== undefined) return uri;
  }
  throw new Error(`cannot find a Debian mirror in ${SOURCES.join(' or ')}: servers of other suites come from there.`);
}

/** Settings of an apt of its own, which knows one suite and not a single package of the machine. */
function aptSettings(folder: string, suite: string): readonly string[] {
  const settings = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'sources'),
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'DPkg::Lock::Timeout': '600',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
  };
  return [
    '-qq',
    ...Object.entries({ ...settings, 'APT::Default-Release': suite }).map(([key, value]) => `-o${key}=${value}`),
  ];
}

async function download(suite: string, packages: readonly string[], folder: string): Promise<readonly string[]> {
  const archives = join(folder, 'cache/archives');
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'sources'])
    mkdirSync(join(folder, name), { recursive: true });
  const source = `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`;
  writeFileSync(join(folder, 'sources/suite.list'), source);
  const settings = aptSettings(folder, suite);
  await run('apt-get', [...settings, 'update']);
  await run('apt-get', [...settings, '-y', '--download-only', '--no-install-recommends', 'install', ...packages]);
  return readdirSync(archives).flatMap((name) => (name.endsWith('.deb') ? [join(archives, name)] : []));
}

/** Moves below `usr` what packages of older suites still have beside it. */
async function mergeIntoUsr(root: string): Promise<void> {
  for (const name of ['bin', 'lib', 'sbin'].filter((one) => existsSync(join(root, one)))) {
    await run('cp', ['-a', join(root, name), join(root, 'usr')]);
    rmSync(join(root, name), { recursive: true });
  }
}

/**
 * Brings packages of another Debian suite, with all their libraries, into a folder below `folder` and returns that;
 * nothing is installed on the machine. Programs there run with their own loader, and the folder can be moved. What appears
 * under its name is whole, so that runs at the same time may all install it: one wins.
 */
export async function installDebianRoot(suite: string, packages: readonly string[], folder: string): Promise<string> {
  const installed = join(folder, suite);
  if (existsSync(installed)) return installed;
  const partial = mkdtempSync(join(folder, 'partial-'));
  try {
    const root = join(partial, 'root');
    mkdirSync(root);
    for (const archive of await download(suite, packages, join(partial, 'apt')))
      await run('dpkg-deb', ['-x', archive, root]);
    await mergeIntoUsr(root);
    wrapPrograms(root);
    chmodSync(root, 0o755);
    try {
      renameSync(root, installed);
    } catch (error) {
      if (!existsSync(installed)) throw error;
    }
    return installed;
  } catch (error) {
    const said = String((error as { readonly stderr?: string }).stderr ?? '').trim();
    if (said === '') throw error;
    const what = `${packages.join(' ')} of Debian ${suite}`;
    throw new Error(`cannot unpack ${what}: ${said.split('\n').at(-1)}`, { cause: error });
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
