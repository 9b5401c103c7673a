import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ENGINES } from '../../src/engines/registry.ts';
import type { Target } from '../../src/generated/policy.ts';
import { describeEngine } from './conformance.ts';
import { FIXTURES } from './fixtures.ts';
import { memoryFixture } from './memory-engine.ts';

describeEngine(memoryFixture);

const types = Object.keys(ENGINES) as readonly Target['type'][];

describe('the registry', () => {
  test.each(types)('%s: engine, fixture and suite are there', (type) => {
    expect(ENGINES[type].type).toBe(type);
    expect(FIXTURES[type].engine).toBe(ENGINES[type]);
    expect(existsSync(new URL(`./conformance-${type}.test.ts`, import.meta.url))).toBe(true);
  });
});
