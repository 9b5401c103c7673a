import { BkpError } from '../errors.ts';
import type { Problem } from './engine.ts';

/** What kept an engine from looking at something, as a problem; bugs and aborts are thrown on. */
export function asProblem(error: unknown): Problem {
  if (!(error instanceof BkpError) || error.code === 'interrupted') throw error;
  return { message: error.message, hint: error.hint };
}
