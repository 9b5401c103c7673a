// `npm run build`: the publishable package in dist/: the command line, the library, and type declarations.
import { readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { build } from 'esbuild';
import { run } from './ensure.mjs';

rmSync('dist', { recursive: true, force: true });
const common = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node22.15',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};
await build({
  ...common,
  entryPoints: { index: 'src/index.ts', 'job-main': 'src/system/job-main.ts' },
  splitting: true,
  format: 'esm',
  // CommonJS packages in an ES bundle ask for `require`.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});
// The command line is one CommonJS file: each module is evaluated when it is first imported, and one file with a compile
// cache starts sooner than sixty chunks.
await build({
  ...common,
  entryPoints: { cli: 'src/cli.ts' },
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
});
writeFileSync('dist/bkp.cjs', readFileSync('src/bkp.cjs', 'utf8').replace("import('./cli.ts')", "require('./cli.cjs')"));
chmodSync('dist/bkp.cjs', 0o755);
run('npx', ['--no-install', 'tsc', '-p', '.ci/tsconfig.build.json']);
