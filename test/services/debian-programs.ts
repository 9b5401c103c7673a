import {
  chmodSync,
  closeSync,
  globSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

const FOLDERS = ['usr/bin', 'usr/sbin', 'usr/lib/postgresql/*/bin'];
const RUNNER = '.run';

/** `.run NAME FILE ARG…` runs FILE, called NAME, with the loader and the libraries of its tree; whatever PATH is. */
const RUNNER_SCRIPT = `#!/bin/sh
r=$(PATH=/usr/bin:/bin; dirname "$(readlink -f "$0")"); name=$1; file=$2; shift 2; l=$r/usr/lib/x86_64-linux-gnu
exec "$l/ld-linux-x86-64.so.2" --argv0 "$name" --library-path "$l:$(echo "$r"/usr/lib/postgresql/*/lib)" "$file" "$@"
`;

const wrapperScript = (up: string, name: string): string => `#!/bin/sh
d=$(PATH=/usr/bin:/bin; dirname "$(readlink -f "$0")"); exec "$d/${up}/${RUNNER}" "$0" "$d/.real/${name}" "$@"
`;

function isProgram(path: string): boolean {
  if (!lstatSync(path).isFile()) return false;
  const start = Buffer.alloc(4);
  const file = openSync(path, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.toString('latin1') === '\x7fELF';
}

function writeScript(path: string, script: string): void {
  writeFileSync(path, script);
  chmodSync(path, 0o755);
}

/** Puts a script in the place of every program below `root`, since programs of a newer Debian need their own loader. */
export function wrapPrograms(root: string): void {
  writeScript(join(root, RUNNER), RUNNER_SCRIPT);
  for (const folder of globSync(FOLDERS, { cwd: root }).map((name) => join(root, name))) {
    mkdirSync(join(folder, '.real'));
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (!isProgram(path)) continue;
      renameSync(path, join(folder, '.real', name));
      writeScript(path, wrapperScript(relative(folder, root), name));
    }
  }
}
