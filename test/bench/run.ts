// `npm run bench [case…]`: measures the built bundle beside its peers, prints a table, keeps it in bench-results/.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from './case.ts';
import { CASES } from './cases.ts';
import { openLab, type Lab } from './lab.ts';
import { readOptions } from './options.ts';
import { describeMachine, formatReport, isMet, type FinishedCase, type Report } from './table.ts';
import { ensureTools } from './tools.ts';

const root = join(import.meta.dirname, '..', '..');

async function runCase({ name, title, tools, run }: BenchCase, lab: Lab): Promise<FinishedCase> {
  process.stderr.write(`${name} …\n`);
  try {
    ensureTools({ time: 'time', ...tools });
    return { name, title, result: await run(lab), problem: null };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${problem}\n`);
    return { name, title, result: null, problem: problem.split('\n')[0] ?? '' };
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const unknown = options.cases.find((name) => CASES.every((one) => one.name !== name));
  if (unknown !== undefined)
    throw new Error(`no case ${unknown}; there are ${CASES.map(({ name }) => name).join(', ')}`);
  if (options.build || !existsSync(join(root, 'dist', 'bkp.cjs')))
    execFileSync(process.execPath, ['.ci/build.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const lab = openLab(root, options.runs);
  const finished: FinishedCase[] = [];
  try {
    for (const one of CASES)
      if (options.cases.length === 0 || options.cases.includes(one.name)) finished.push(await runCase(one, lab));
  } finally {
    lab.close();
  }
  const report: Report = {
    formatVersion: 1,
    date: new Date().toISOString(),
    machine: describeMachine(),
    runs: options.runs,
    cases: finished,
  };
  const folder = join(root, 'bench-results');
  mkdirSync(folder, { recursive: true });
  const stem = join(folder, report.date.replace(/[:.]/g, ''));
  writeFileSync(`${stem}.json`, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(`${stem}.md`, formatReport(report));
  process.stdout.write(formatReport(report));
  const missed = finished.some(({ result }) => result?.verdicts.some((verdict) => !isMet(verdict)));
  return finished.some(({ result }) => result === null) || (options.strict && missed) ? 1 : 0;
}

process.exitCode = await main();
