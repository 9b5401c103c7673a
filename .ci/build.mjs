// `npm run build`: the publishable package in dist/: one bundle with lazy chunks, and type declarations.
import { readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { build } from 'esbuild';
import { run } from './ensure.mjs';

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: { cli: 'src/cli.ts', index: 'src/index.ts', 'job-main': 'src/system/job-main.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.15',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS packages in an ES bundle ask for `require`.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});
writeFileSync('dist/bkp.cjs', readFileSync('src/bkp.cjs', 'utf8').replace("'./cli.ts'", "'./cli.js'"));
chmodSync('dist/bkp.cjs', 0o755);
run('npx', ['--no-install', 'tsc', '-p', '.ci/tsconfig.build.json']);
