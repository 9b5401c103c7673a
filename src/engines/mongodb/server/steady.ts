import type { Context } from '../../../context.ts';

/** The same context for steps that are short and must come to their end once begun, abort or not. */
export const steady = (context: Context): Context => ({ ...context, signal: new AbortController().signal });
