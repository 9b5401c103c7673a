import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { appliedProject } from './project.ts';
import { PROGRAM } from './run-bkp.ts';

const base = await appliedProject();
await writeFile(
  base.path('loaded.mjs'),
  `import { registerHooks } from 'node:module';
const seen = [];
registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) });
process.on('exit', () => process.stderr.write(JSON.stringify(seen)));
`,
);

/** What a command loads: modules below `src`, and the names of packages. */
function loadedBy(command: string): { readonly own: readonly string[]; readonly packages: readonly string[] } {
  const { stderr } = spawnSync(
    process.execPath,
    ['--import', base.path('loaded.mjs'), PROGRAM, ...command.split(' ')],
    {
      cwd: base.folder,
      env: base.env,
      encoding: 'utf8',
    },
  );
  const urls = JSON.parse(stderr.slice(stderr.indexOf('["'))) as readonly string[];
  return {
    own: urls.flatMap((url) => /\/src\/(.*)$/.exec(url)?.[1] ?? []),
    packages: [...new Set(urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []))].toSorted(),
  };
}

describe('startup', () => {
  it.each(['--version', '--help', 'help restore', 'lst'])('%s loads the command line only', (command) => {
    const { own, packages } = loadedBy(command);
    expect(
      packages.filter((name) => !['commander', 'fast-string-width', 'fast-string-truncated-width'].includes(name)),
    ).toEqual([]);
    expect(own.length).toBeLessThan(30);
  });

  it.each(['list', 'status', 'verify', 'show shop@latest'])('%s asks nobody and draws no plan', (command) => {
    const { packages } = loadedBy(command);
    expect(packages).not.toContain('@clack/prompts');
    expect(packages.filter((name) => name.startsWith('@aws-sdk/'))).toEqual([]);
    expect(packages).not.toContain('execa');
  });

  it.each(['list', 'show shop@latest', 'status', 'diff shop@latest shop@latest'])('%s loads no engine', (command) => {
    const { own, packages } = loadedBy(command);
    expect(own.filter((path) => path.startsWith('engines/') || path.startsWith('streams/'))).toEqual([]);
    expect(packages).not.toContain('tar-stream');
    expect(packages).not.toContain('tinyglobby');
  });
});
