// `npm test`: installs what is missing, then runs every test. Nothing is skipped: what cannot be had is a failure.
import { ensureNodeModules, ensureTools, run } from './ensure.mjs';

// The full set of servers runs only the suites that talk to servers: the rest does not change with them.
const SERVER_SUITES = ['test/engines', 'test/repositories', 'test/services'];

const given = process.argv.slice(2);
const all = given[0] === '--all';
const filters = all ? (given.length > 1 ? given.slice(1) : SERVER_SUITES) : given;
ensureNodeModules();
ensureTools({ tar: 'tar', zstd: 'zstd', gzip: 'gzip', setfattr: 'attr', setfacl: 'acl', setpriv: 'util-linux', script: 'bsdutils' });
run('npx', ['--no-install', 'vitest', 'run', '--config', 'test/vitest.config.ts', ...filters], { BKP_TEST_SET: all ? 'all' : 'default' });
