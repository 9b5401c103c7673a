import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { bundleSchema, readFragments, type Schema } from '../../schema/bundle.ts';
import { generatedFiles } from '../../schema/generate.ts';
import { MARKS } from '../../schema/validators.ts';
import type { Target } from '../../src/generated/policy.ts';
import { TARGET_FACTS } from '../../src/generated/schema-facts.ts';
import { validateManifest } from '../../src/generated/validate-manifest.js';
import { validatePolicy } from '../../src/generated/validate-policy.js';

const root = new URL('../../', import.meta.url);
const bundle = bundleSchema(readFragments());

/** Every key of a schema with its path. */
function keysOf(schema: Schema, path: string): readonly (readonly [string, Schema])[] {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Schema>);
  const own = properties
    .filter(() => schema['discriminator'] === undefined)
    .map(([key, value]) => [`${path}.${key}`, value] as const);
  const inner = Object.entries(schema).flatMap(([keyword, value]) =>
    typeof value === 'object' && value !== null && !['examples', 'properties'].includes(keyword)
      ? keysOf(value as Schema, path)
      : [],
  );
  return [...own, ...properties.flatMap(([key, value]) => keysOf(value, `${path}.${key}`)), ...inner];
}

const keys = keysOf(bundle, 'policy');
const definition = (schema: Schema): Schema => {
  const name = (typeof schema['$ref'] === 'string' ? schema['$ref'] : '').split('/').at(-1) ?? '';
  return name === '' ? schema : ((bundle['definitions'] as Record<string, Schema>)[name] as Schema);
};

describe('generated files', () => {
  it('are up to date', async () => {
    for (const [path, text] of await generatedFiles()) {
      expect(readFileSync(new URL(path, root), 'utf8') === text, `${path}: run npm run generate`).toBe(true);
    }
  });

  it('hold validators without require', () => {
    for (const name of ['validate-policy', 'validate-manifest']) {
      const code = readFileSync(new URL(`src/generated/${name}.js`, root), 'utf8');
      expect(code.replaceAll(/(["'`])require\([^)]*\)[^"'`]*\1/g, '')).not.toMatch(/\brequire\(/);
    }
    expect(validatePolicy({ version: 1, name: 'x' })).toBe(true);
    expect(validateManifest({ formatVersion: 1 })).toBe(false);
  });

  it('type a target as a union that narrows by type', () => {
    const pathOf = (target: Extract<Target, { type: 'files' | 'sqlite' }>): string =>
      target.type === 'sqlite' ? target.path : target.paths.join();
    expect(pathOf({ type: 'sqlite', path: 'a' })).toBe('a');
  });

  it('know the marked keys', () => {
    expect(TARGET_FACTS.sqlite).toMatchObject({
      defines: ['path'],
      paths: ['path'],
      sql: true,
      formats: { busyTimeout: 'duration' },
    });
    expect(TARGET_FACTS.files).toMatchObject({
      defines: ['paths', 'include', 'exclude', 'oneFileSystem'],
      restoreOnly: ['root'],
      sql: false,
    });
  });
});

describe('the policy schema', () => {
  it('is found whole', () => {
    expect(keys.length).toBeGreaterThan(60);
  });

  it.each(keys.map(([path, schema]) => [path, schema] as const))(
    '%s has a description and an example',
    (_path, schema) => {
      const meant = { ...definition(schema), ...schema };
      expect(meant['description']).toEqual(expect.stringMatching(/\S/));
      expect(Array.isArray(meant['examples']) && meant['examples'].length > 0).toBe(true);
    },
  );

  it('has examples that it accepts itself', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, discriminator: true });
    ajv.addVocabulary([...MARKS]);
    const definitions = bundle['definitions'];
    const seen = [...keys, ...Object.entries(definitions as Record<string, Schema>)];
    for (const [path, schema] of seen) {
      if (definition(schema)['oneOf'] !== undefined || schema['$ref'] !== undefined) continue;
      const check = ajv.compile({ ...schema, definitions: definitions as object });
      for (const example of (schema['examples'] ?? []) as unknown[]) {
        expect(check(example), `${path}: ${JSON.stringify(example)}: ${ajv.errorsText(check.errors)}`).toBe(true);
      }
    }
  });

  it('closes every object', () => {
    const open = keys.filter(
      ([path, schema]) =>
        definition(schema)['type'] === 'object' &&
        definition(schema)['additionalProperties'] === undefined &&
        !path.endsWith('.into'),
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });
});
