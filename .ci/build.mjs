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
  // Its modules for browsers become one scope; those for Node.js are eighty to evaluate one by one.
  alias: { yaml: './node_modules/yaml/browser/dist/index.js' },
  logLevel: 'warning',
};
// The modules of Node.js that take a millisecond and more to load are loaded when something in them is first used.
const LAZY_BUILTINS = `require = (load => id => {
  if (!/^node:(child_process|crypto|sqlite|stream|tty|zlib)\\b/.test(id)) return load(id);
  let loaded;
  return new Proxy({}, { get: (_, name) => (loaded ??= load(id))[name] });
})(require);`;
await build({
  ...common,
  entryPoints: { index: 'src/index.ts', 'job-main': 'src/system/job-main.ts' },
  splitting: true,
  format: 'esm',
  // CommonJS packages in an ES bundle ask for `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
// Large libraries that few commands use: the one file below does not grow by them.
const OWN_FILE = {
  'aws.cjs': [
    '@aws-sdk/client-s3',
    '@aws-sdk/s3-request-presigner',
    '@smithy/core/endpoints',
    '@smithy/core/protocols',
    '@smithy/signature-v4',
  ],
  'age.cjs': ['age-encryption'],
  'mongodb.cjs': ['mongodb'],
  'mysql.cjs': ['mysql2/promise'],
  'redis.cjs': ['@redis/client'],
  'search.cjs': ['@elastic/elasticsearch'],
};
for (const [file, packages] of Object.entries(OWN_FILE)) {
  await build({
    ...common,
    outdir: undefined,
    outfile: `dist/${file}`,
    stdin: { contents: packages.map((name) => `export * from '${name}';`).join(''), resolveDir: '.' },
    format: 'cjs',
  });
}
const toOwnFile = {
  name: 'own-file',
  setup({ onResolve }) {
    for (const [file, packages] of Object.entries(OWN_FILE))
      onResolve({ filter: new RegExp(`^(${packages.join('|')})$`) }, () => ({ path: `./${file}`, external: true }));
  },
};
// The command line is one CommonJS file: each module is evaluated when it is first imported, and one file with a compile
// cache starts sooner than sixty chunks.
await build({
  ...common,
  plugins: [toOwnFile],
  // Node.js finds no names in a minified CommonJS file that it imports; `require` does.
  supported: { 'dynamic-import': false },
  entryPoints: { cli: 'src/cli.ts' },
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  define: { 'import.meta.url': '__moduleUrl' },
  banner: { js: `${LAZY_BUILTINS}const __moduleUrl = require('node:url').pathToFileURL(__filename).href;` },
});
writeFileSync(
  'dist/bkp.cjs',
  readFileSync('src/bkp.cjs', 'utf8').replace("import('./cli.ts')", "require('./cli.cjs')"),
);
chmodSync('dist/bkp.cjs', 0o755);
run('npx', ['--no-install', 'tsc', '-p', '.ci/tsconfig.build.json']);
