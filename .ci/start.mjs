// `npm start`: installs what is missing, then shows bkp at work.
import { ensureNodeModules, run } from './ensure.mjs';

ensureNodeModules();
run('node', ['src/bkp.cjs', 'demo', ...process.argv.slice(2)]);
