import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { stringify, parse } from 'yaml';
import { diagnosticsText } from '../../src/report/diagnostics.ts';
import { plainPaint } from '../../src/report/terminal.ts';
import { examine, GOOD } from './policy-text.ts';

const RUNS = 10_000;
const SEED = 20_261_119;

const examples = new URL('../../examples/', import.meta.url);
const SEEDS: readonly string[] = [
  GOOD,
  ...readdirSync(examples, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml'))
    .toSorted()
    .map((path) => readFileSync(new URL(path, examples), 'utf8').replace(/^include:.*$/m, '')),
];
const PIECES: readonly string[] = [
  ...'{ } [ ] : - ? &a *a <<:*a !!str | > " \' # % @ ` ~ null true -1 0 1e999 .nan 9007199254740993'.split(' '),
  ...'${env:X} ${env: ${file:/x} $${ ${x} __proto__ constructor toString @daily 7d 0s Mars/Phobos x-'.split(' '),
  ...'\n,\r\n,\t,  ,---\n,...\n,\u0000,\u2028,\u{1F4BE},\u00e9,\ufeff,: ,- ,? ,61 * * * *,0 0 30 2 *,> previous'.split(
    ',',
  ),
];

/** A small deterministic generator (mulberry32): a failure names its run and comes back. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;
const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

/** Cut, doubled, swapped and inserted characters. */
function mutateBytes(text: string, random: Random): string {
  const at = random(text.length + 1);
  const length = random(12);
  switch (random(5)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + text.slice(at, at + length) + text.slice(at);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random(0x250)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at);
    default:
      return text.slice(0, at) + pick(random, PIECES) + text.slice(at);
  }
}

/** Words replaced by other words, of the same policy or dangerous ones; lines moved and indented. */
function mutateTokens(text: string, random: Random): string {
  if (random(3) === 0) {
    const lines = text.split('\n');
    const from = random(lines.length);
    const [line = ''] = lines.splice(from, 1);
    lines.splice(random(lines.length + 1), 0, ' '.repeat(random(6)) + line.trimStart());
    return lines.join('\n');
  }
  const words = text.match(/[\w@${}:./-]+|\s+|[^\w\s]/g) ?? [];
  const replacement = random(2) === 0 ? pick(random, words) : pick(random, PIECES);
  const index = random(words.length);
  return words.map((word, position) => (position === index ? replacement : word)).join('');
}

/** Well-formed YAML of the wrong shape: values of other kinds, keys renamed, moved and removed. */
function mutateStructure(text: string, random: Random): string {
  const data: unknown = parse(text, { merge: true });
  const nodes: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      nodes.push({ holder: value as Record<string, unknown>, key });
      collect(inner);
    }
  };
  collect(data);
  const { holder, key } = pick(random, nodes);
  const other = pick(random, nodes);
  const strange = [
    null,
    0,
    -1,
    1.5,
    true,
    '',
    'x',
    [],
    {},
    [null],
    { type: 'sqlite' },
    { '': '' },
    'a'.repeat(5000),
    '${env:X}',
  ];
  switch (random(5)) {
    case 0:
      holder[key] = pick(random, strange);
      break;
    case 1:
      delete holder[key];
      break;
    case 2:
      holder[pick(random, PIECES)] = structuredClone(other.holder[other.key]);
      break;
    case 3:
      holder[key] = structuredClone(other.holder[other.key]);
      break;
    default: {
      const value = holder[key];
      delete holder[key];
      holder[key.slice(random(2)) + pick(random, ['', 's', 'S', '_'])] = value;
    }
  }
  return stringify(data);
}

describe('ten thousand mutated policies', () => {
  it('never throw, and every problem has a code and a position inside the text', async () => {
    const random = randomFrom(SEED);
    let invalid = 0;
    const codes = new Set<string>();
    for (let run = 0; run < RUNS; run++) {
      const mutate = [mutateBytes, mutateTokens, mutateStructure][run % 3] ?? mutateBytes;
      let text = mutate(pick(random, SEEDS), random);
      if (mutate !== mutateStructure) for (let more = random(3); more > 0; more--) text = mutate(text, random);
      const { policy, diagnostics } = await examine(text).catch((error: unknown) => {
        throw new Error(`run ${run} threw on ${JSON.stringify(text)}`, { cause: error });
      });
      const lines = text.split('\n');
      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      if ((policy === undefined) !== errors.length > 0) throw new Error(`run ${run}: no policy and no error`);
      if (policy === undefined) invalid++;
      for (const { code, message, range } of diagnostics) {
        codes.add(code);
        const { line, column } = range.start;
        const inside = line >= 1 && line <= lines.length && column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1;
        if (!/^BKP\d{4}$/.test(code) || message === '' || !inside || message.includes('undefined')) {
          throw new Error(`run ${run}: ${code} ${message} at ${line}:${column} of ${JSON.stringify(text)}`);
        }
      }
      diagnosticsText(diagnostics, plainPaint);
    }
    expect(invalid).toBeGreaterThan(RUNS / 2);
    expect([...codes].toSorted()).toEqual(
      expect.arrayContaining(['BKP1001', 'BKP1002', 'BKP1003', 'BKP1004', 'BKP2010', 'BKP2030']),
    );
  });
});
