// `npm test`: installs what is missing, then runs every test. Nothing is skipped: what cannot be had is a failure.
import { ensureNodeModules, ensureTools, run } from './ensure.mjs';

const args = process.argv.slice(2);
const all = args[0] === '--all';
ensureNodeModules();
ensureTools({ tar: 'tar', zstd: 'zstd', gzip: 'gzip', setfattr: 'attr', setfacl: 'acl', setpriv: 'util-linux' });
run('npx', ['--no-install', 'vitest', 'run', '--config', 'test/vitest.config.ts', ...(all ? args.slice(1) : args)], { BKP_TEST_SET: all ? 'all' : 'default' });
