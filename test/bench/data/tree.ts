import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, createText } from './words.ts';

const SMALL_FILES = 20_000;
const LARGE_FILES = 4;
const LARGE_BYTES = 100_000_000;
const MEAN_BYTES = 5_500;

/** Makes 20,000 small files (5.5 KB on average) in 200 folders and 4 files of 100 MB. Returns the path. */
export function makeTree(path: string): string {
  const random = createRandom(20);
  const text = createText(random);
  for (let index = 0; index < SMALL_FILES; index += 1) {
    const folder = join(path, `folder-${index % 200}`);
    if (index < 200) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${index}.txt`), text(Math.round(random() * 2 * MEAN_BYTES)));
  }
  const block = 1_000_000;
  for (let index = 0; index < LARGE_FILES; index += 1) {
    const file = openSync(join(path, `large-${index}.log`), 'w');
    for (let written = 0; written < LARGE_BYTES; written += block) writeSync(file, text(block));
    closeSync(file);
  }
  return path;
}
