import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ReaderResult } from '../context.ts';
import { type JobAnswer, valueOf } from './job-protocol.ts';

/** The descriptor on which a reader process answers: its stdout carries the bytes. */
export const ANSWER_FD = 3;

/** What a reader process answered; throws what it threw, null when it came to no end. */
export async function collectReader(answer: Readable): Promise<ReaderResult | null> {
  // A reader that is killed takes its end of the pipe with it.
  const json = await text(answer).catch(() => '');
  return json === '' ? null : (valueOf(JSON.parse(json) as JobAnswer) as ReaderResult);
}
