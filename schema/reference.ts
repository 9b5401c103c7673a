import { COMMANDS } from '../src/commands/specs.ts';
import { EXIT_MEANINGS } from '../src/errors.ts';
import { CODES } from '../src/policy/codes.ts';
import { REASONS } from '../src/reconcile/reasons.ts';
import { child, tagOf, type Fragments, type Schema } from './bundle.ts';

/** Replaces the text between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->` for every section named here. */
export function renewReference(readme: string, fragments: Fragments, bundle: Schema): string {
  const sections: Readonly<Record<string, () => string>> = {
    commands,
    'exit-codes': () => table(['code', 'meaning'], Object.entries(EXIT_MEANINGS)),
    'reason-codes': () =>
      table(
        ['code', 'meaning'],
        Object.entries(REASONS).map(([code, text]) => [`\`${code}\``, text]),
      ),
    'policy-keys': () => policyKeys(fragments, bundle),
    'problem-codes': () =>
      table(
        ['code', 'severity', 'problem'],
        Object.entries(CODES).map(([code, { severity, title }]) => [code, severity, title]),
      ),
  };
  return Object.entries(sections).reduce((text, [name, render]) => {
    const pattern = new RegExp(`(<!-- generated:${name} -->\n)[^]*?(<!-- /generated:${name} -->)`);
    return text.replace(pattern, (_all, open: string, close: string) => `${open}\n${render()}\n\n${close}`);
  }, readme);
}

/** Every command with its flags, then what each flag means. */
function commands(): string {
  const rows = COMMANDS.map(({ name, arguments: words, description, options }) => {
    const flags = options.map((option) => `\`${option.flags.replace(/ <.*/, '')}\``).join(' ');
    return [`\`bkp ${[name, words].filter((part) => part !== undefined).join(' ')}\``, description, flags];
  });
  return `${table(['command', 'what it does', 'options'], rows)}\n\n${table(['option', 'meaning', 'of'], optionRows())}`;
}

/** A flag that means the same in several commands is one row, with their names. */
function optionRows(): readonly (readonly string[])[] {
  const meanings = new Map<string, { readonly flags: string; readonly meaning: string; readonly of: string[] }>();
  for (const { name, options } of COMMANDS) {
    for (const { flags, description, choices = [], repeat } of options) {
      const words = flags.startsWith('--format') ? [] : choices.map((choice) => `\`${choice}\``);
      const more = repeat === true && !flags.startsWith('-f') ? ['may be repeated'] : [];
      const meaning = [`${description}${words.length === 0 ? '' : `: ${words.join(', ')}`}`, ...more].join('; ');
      const key = `${flags} ${meaning}`;
      const known = meanings.get(key) ?? { flags, meaning, of: [] };
      known.of.push(name);
      meanings.set(key, known);
    }
  }
  const long = (flags: string): string => flags.replace(/^-f, /, '');
  return [...meanings.values()]
    .toSorted((x, y) => (long(x.flags) < long(y.flags) ? -1 : 1))
    .map(({ flags, meaning, of }) => [`\`${flags}\``, meaning, of.length <= 8 ? of.join(', ') : 'most commands']);
}

/** One table per kind of object, in the order a reader meets them. */
function policyKeys(fragments: Fragments, bundle: Schema): string {
  const definitions = child(bundle, 'definitions');
  const properties = child(bundle, 'properties');
  const entry = (key: string): Schema => child(child(properties, key), 'additionalProperties');
  const restore = entry('restores');
  const titled = (name: string): Schema => child(definitions, name);
  const blocks: readonly (readonly [string, Schema])[] = [
    ['the file', bundle],
    ...fragments.repositories.map(
      (fragment) =>
        [`\`repositories.NAME\` of type \`${tagOf(fragment)}\``, titled(String(fragment['title']))] as const,
    ),
    ...fragments.engines.map(
      (fragment) => [`\`targets.NAME\` of type \`${tagOf(fragment)}\``, titled(String(fragment['title']))] as const,
    ),
    ['`defaults`', child(properties, 'defaults')],
    ['`backups.NAME`', entry('backups')],
    ...(['signing', 'encryption', 'retention', 'verify', 'hooks', 'hook', 'check'] as const).map(
      (name) => [`\`${name}\``, titled(name)] as const,
    ),
    ['`restores.NAME`', restore],
    ['`restores.NAME.targets.TARGET`', child(child(child(restore, 'properties'), 'targets'), 'additionalProperties')],
  ];
  return blocks.map(([heading, schema]) => `#### ${heading}\n\n${keyTable(schema, definitions)}`).join('\n\n');
}

function keyTable(schema: Schema, definitions: Schema): string {
  const required = (schema['required'] ?? []) as readonly string[];
  const rows = Object.entries(child(schema, 'properties')).map(([key, written]) => {
    const meant = resolved(written as Schema, definitions);
    const name = required.includes(key) ? `**\`${key}\`**` : `\`${key}\``;
    const [example] = (meant['examples'] ?? []) as readonly unknown[];
    return [name, kindOf(meant, definitions), textOf(meant, 'description'), `\`${JSON.stringify(example)}\``];
  });
  return table(['key', 'value', 'meaning', 'example'], rows);
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'map',
};

function kindOf(schema: Schema, definitions: Schema): string {
  const allowed =
    schema['const'] === undefined ? (schema['enum'] as readonly unknown[] | undefined) : [schema['const']];
  if (allowed !== undefined) return allowed.map((value) => `\`${String(value)}\``).join(', ');
  if (schema['anyOf'] !== undefined) {
    return (schema['anyOf'] as readonly Schema[]).map((branch) => kindOf(branch, definitions)).join(' or ');
  }
  if (schema['x-format'] !== undefined) return textOf(schema, 'x-format');
  if (schema['type'] === 'array')
    return `list of ${kindOf(resolved(child(schema, 'items'), definitions), definitions)}`;
  return KINDS[textOf(schema, 'type')] ?? 'any';
}

function resolved(schema: Schema, definitions: Schema): Schema {
  const ref = textOf(schema, '$ref');
  return ref === '' ? schema : { ...child(definitions, ref.slice(ref.lastIndexOf('/') + 1)) };
}

const textOf = (schema: Schema, key: string): string => {
  const value = schema[key];
  return typeof value === 'string' ? value : '';
};

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
