import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { createRandom, createText } from './words.ts';

const BLOCK_BYTES = 1_000_000;

/** A file that no compression makes smaller. Returns its path. */
export const makeRandomFile = (path: string, bytes: number): string =>
  makeFile(path, bytes, () => randomFillSync(Buffer.allocUnsafe(BLOCK_BYTES)));

/** A file of text, cheap to make and to compress: its blocks are a few that repeat. Returns its path. */
export function makeTextFile(path: string, bytes: number): string {
  const text = createText(createRandom(8));
  const blocks = Array.from({ length: 32 }, () => text(BLOCK_BYTES));
  return makeFile(path, bytes, (index) => blocks[index % blocks.length] as Buffer);
}

function makeFile(path: string, bytes: number, block: (index: number) => Buffer): string {
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let index = 0, left = bytes; left > 0; index += 1) {
      left -= writeSync(file, block(index), 0, Math.min(left, BLOCK_BYTES));
    }
  } finally {
    closeSync(file);
  }
  return path;
}
