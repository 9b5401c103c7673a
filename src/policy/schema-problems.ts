import type { Diagnostic } from '../errors.ts';
import type { SchemaError } from '../generated/validate-policy.js';
import { diagnose } from './diagnose.ts';
import { didYouMean } from './did-you-mean.ts';
import type { PolicyDocument } from './document.ts';
import type { Path } from './locate.ts';
import { holdsReference, mayHoldReference } from './reference-syntax.ts';
import { isSecretPath } from './secret-text.ts';
import { describeKind, describePlace, KIND_NAMES } from './wording.ts';

/** One schema error as a path into the data. */
export interface SchemaProblem {
  readonly path: Path;
  readonly diagnostic: Diagnostic;
}

/** Turns the validator's errors into problems of the file: no union noise, nothing said twice, references tolerated. */
export function schemaProblems(document: PolicyDocument, errors: readonly SchemaError[]): readonly SchemaProblem[] {
  return withoutUnionNoise(errors).flatMap((error) => {
    const path = pathOf(error.instancePath, document.data);
    const isValueError = error.keyword !== 'additionalProperties' && error.keyword !== 'required';
    if (isValueError && holdsReference(error.data) && mayHoldReference(path, document.data)) return [];
    const misfit = error.keyword === 'propertyNames' ? [...path, String(error.params['propertyName'])] : path;
    return [{ path: misfit, diagnostic: explain(document, path, error) }];
  });
}

/** Steps of a JSON pointer; indices of lists become numbers. */
function pathOf(pointer: string, data: unknown): Path {
  const path: (string | number)[] = [];
  let value = data;
  for (const raw of pointer.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown> | null | undefined)?.[key];
  }
  return path;
}

/** A wrong value inside a union is told by its branch; the branch is the one whose kind of value is there. */
function withoutUnionNoise(errors: readonly SchemaError[]): readonly SchemaError[] {
  const dropped = new Set<SchemaError>(errors.filter((error) => error.keyword === 'discriminator'));
  for (const error of errors)
    if (error.propertyName !== undefined && error.keyword !== 'propertyNames') dropped.add(error);
  for (const union of errors.filter((error) => error.keyword === 'anyOf')) {
    const inside = errors.filter((error) => error !== union && error.schemaPath.startsWith(`${union.schemaPath}/`));
    const here = inside.filter((error) => error.instancePath.startsWith(union.instancePath));
    const branchOf = (error: SchemaError): string | undefined =>
      error.schemaPath.slice(union.schemaPath.length).split('/')[1];
    const wrongKind = here.filter((error) => error.keyword === 'type' && error.instancePath === union.instancePath);
    const wrongBranches = new Set(wrongKind.map(branchOf));
    const fits = here.some((error) => !wrongBranches.has(branchOf(error)));
    for (const error of here) if (!fits || wrongBranches.has(branchOf(error))) dropped.add(error);
    if (fits) dropped.add(union);
  }
  return errors.filter((error) => !dropped.has(error));
}

function explain(document: PolicyDocument, path: Path, error: SchemaError): Diagnostic {
  const place = describePlace(path);
  const what = subjectOf(path);
  const key = { document, path, part: 'key' } as const;
  const value = { document, path, part: 'value' } as const;
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema?.['properties'] ?? {}) as object);
      const at = { document, path: [...path, name], part: 'key' } as const;
      const hint = known.length > 0 ? `${place} may hold: ${known.join(', ')}` : null;
      return diagnose('BKP1002', at, `unknown key "${name}" in ${place}${didYouMean(name, known)}`, hint);
    }
    case 'required': {
      const name = String(params['missingProperty']);
      return diagnose('BKP1003', key, `missing key "${name}" in ${place}`, exampleHint(error, name));
    }
    case 'propertyNames': {
      const name = String(params['propertyName']);
      const at = { document, path: [...path, name], part: 'key' } as const;
      return diagnose('BKP1006', at, `"${name}" is not a valid name`, NAME_HINT);
    }
    case 'enum':
    case 'const': {
      const allowed = (params['allowedValues'] ?? [params['allowedValue']]) as readonly unknown[];
      const words = allowed.map(String);
      const given = typeof error.data === 'string' && !isSecretPath(path) ? error.data : undefined;
      const said = given === undefined ? describeKind(error.data) : `"${given}"`;
      const guess = given === undefined ? '' : didYouMean(given, words);
      return diagnose('BKP1005', value, `${what} cannot be ${said}${guess}`, `allowed: ${words.join(', ')}`);
    }
    case 'type':
    case 'anyOf': {
      const types = error.keyword === 'type' ? [error.schema ?? params['type']].flat() : ['string', 'object'];
      const wanted = types.map((type) => KIND_NAMES[String(type)] ?? String(type)).join(' or ');
      const hint = booleanHint(error.data, types);
      return diagnose('BKP1004', value, `${what} must be ${wanted}, not ${describeKind(error.data)}`, hint);
    }
    case 'pattern':
      return diagnose(
        'BKP1006',
        value,
        isSecretPath(path) ? `${what} is not valid` : `"${String(error.data)}" is not a valid name`,
        NAME_HINT,
      );
    case 'minimum':
      return diagnose('BKP1007', value, `${what} must be at least ${String(params['limit'])}`);
    case 'maximum':
      return diagnose('BKP1007', value, `${what} must be at most ${String(params['limit'])}`);
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return diagnose('BKP1008', value, `${what} must not be empty`, exampleHint(error, undefined));
    case 'uniqueItems': {
      const again = Math.max(Number(params['i']), Number(params['j']));
      return diagnose(
        'BKP1009',
        { document, path: [...path, again], part: 'value' },
        `the same entry stands twice in ${describePlace(path)}`,
      );
    }
    default:
      return diagnose('BKP1004', value, `${what}: ${error.message ?? error.keyword}`);
  }
}

/** `"keepLast" in retention`. */
function subjectOf(path: Path): string {
  return path.length === 0 ? 'the policy' : `"${String(path.at(-1))}" in ${describePlace(path.slice(0, -1))}`;
}

const NAME_HINT = 'lower-case letters, digits and dashes, starting with a letter or digit, at most 63 characters';

function exampleHint(error: SchemaError, key: string | undefined): string | null {
  const parent = error.parentSchema;
  const properties = (parent?.['properties'] ?? {}) as Readonly<
    Record<string, { readonly examples?: readonly unknown[] }>
  >;
  const examples =
    key === undefined ? (parent?.['examples'] as readonly unknown[] | undefined) : properties[key]?.examples;
  const example = examples?.[0];
  if (example === undefined) return null;
  return key === undefined
    ? `for example ${JSON.stringify(example)}`
    : `for example ${key}: ${JSON.stringify(example)}`;
}

function booleanHint(data: unknown, types: readonly unknown[]): string | null {
  if (!types.includes('boolean') || typeof data !== 'string') return null;
  if (/^(yes|on|y)$/i.test(data)) return 'YAML 1.2 knows true and false only; write true';
  return /^(no|off|n)$/i.test(data) ? 'YAML 1.2 knows true and false only; write false' : null;
}
