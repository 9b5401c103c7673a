import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, targetError, type ExitCode } from '../errors.ts';
import type { Terminal } from '../report/terminal.ts';
import { jobArgv } from '../system/run-job.ts';
import { runVisibly, selfArgv, startQuietly } from '../system/run-visibly.ts';
import { compareRows, digestTree } from './compare.ts';
import { makeTracker, TRACKER_POLICY, trackerIn } from './tracker.ts';

/**
 * The main job on a small error tracker, by the real command line: capture while a process writes, lose everything, bring
 * it back, compare row by row. Makes a folder of its own below `parent`; throws when anything differs.
 */
export async function runDemo(parent: string, terminal: Terminal): Promise<ExitCode> {
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, 'tracker-'));
  const tracker = trackerIn(join(folder, 'tracker'));
  const say = (text: string): void => terminal.out(`\n${terminal.paint('cyan', `# ${text}`)}\n`);
  const bkp = async (args: string, expected: ExitCode = EXIT.done): Promise<void> => {
    terminal.out(`${terminal.paint('bold', `$ bkp ${args}`)}\n`);
    const code = await runVisibly([...selfArgv(), ...args.split(' ')], {
      cwd: folder,
      env: { XDG_CACHE_HOME: join(folder, '.cache') },
    });
    if (code !== expected)
      throw targetError(`cannot finish the demo: bkp ${args} exited ${code}, expected ${expected}`);
  };

  say(`A small error tracker in ${folder}: 200,000 events in SQLite, source maps, a config file.`);
  makeTracker(tracker);
  writeFileSync(join(folder, 'bkp.yaml'), TRACKER_POLICY);
  terminal.out(TRACKER_POLICY.replaceAll(/^/gm, '    ').trimEnd());
  terminal.out('\n');

  say('The application goes on writing, some 200 commits a second.');
  const writer = startQuietly(jobArgv('demo-writer'), JSON.stringify(tracker.database));
  try {
    await bkp('validate');
    await bkp('init --repository backups');
    await bkp('init --repository second-disk');
    await bkp('plan');
    await bkp('apply --yes');
    if (writer.hasEnded()) throw targetError('cannot finish the demo: the writer ended while bkp captured');
    say('Nothing is left to do: a second plan is empty.');
    await bkp('plan');
    await bkp('list');
    await sleep(300);
  } finally {
    await writer.stop();
  }

  say('Disaster: half of the database is cut off, the source maps are deleted.');
  const before = digestTree(tracker.sourcemaps);
  const reference = join(folder, 'before-the-disaster.db');
  keepReference(tracker.database, reference);
  truncateSync(tracker.database, 20_000_000);
  rmSync(tracker.sourcemaps, { recursive: true });

  await bkp('restore tracker@latest --mode replace --yes');
  await bkp('verify tracker@latest --deep');

  say('Compared with what was there right before the disaster:');
  const { compared, differences } = compareRows(tracker.database, reference);
  const after = existsSync(tracker.sourcemaps) ? digestTree(tracker.sourcemaps) : [];
  const filesDiffer = JSON.stringify(before) !== JSON.stringify(after);
  if (differences.length > 0 || filesDiffer) {
    throw targetError(
      `cannot finish the demo: what came back differs (${[...differences.slice(0, 5), ...(filesDiffer ? ['source maps'] : [])].join(', ')})`,
    );
  }
  terminal.out(
    `${terminal.paint('green', 'equal')}  ${compared.toLocaleString('en')} rows, ${after.length} source maps; what was written after the snapshot is what was lost\n`,
  );

  say('What to try next:');
  const next = [
    `cd ${folder}`,
    `alias bkp='${selfArgv().join(' ')}'`,
    'bkp status',
    'bkp show tracker@latest',
    'bkp plan --at 2027-01-01',
    'bkp restore tracker@latest --target events --into path=./copy.db',
  ];
  terminal.out(next.map((line) => `    ${line}\n`).join(''));
  return EXIT.done;
}

function keepReference(database: string, reference: string): void {
  const open = new DatabaseSync(database);
  open.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  open.close();
  copyFileSync(database, reference);
}
