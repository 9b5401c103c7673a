import { resolve } from 'node:path';
import { runDemo } from '../demo/run-demo.ts';
import type { CommandRun } from './command.ts';

/** Shows bkp at work in a new folder. */
export const demoCommand: CommandRun = (_args, options, { terminal }) =>
  runDemo(resolve(options.text('dir') ?? 'demo'), terminal);
