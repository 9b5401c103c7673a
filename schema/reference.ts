import { EXIT_MEANINGS } from '../src/errors.ts';
import { child, type Schema } from './bundle.ts';

/** Replaces the text between `<!-- generated:NAME -->` and `<!-- /generated:NAME -->` for every section named here. */
export async function renewReference(readme: string, bundle: Schema): Promise<string> {
  const sections: Readonly<Record<string, () => string | Promise<string>>> = {
    'exit-codes': exitCodes,
    'policy-keys': () => policyKeys(bundle),
  };
  let text = readme;
  for (const [name, render] of Object.entries(sections)) {
    const pattern = new RegExp(`(<!-- generated:${name} -->\n)[^]*?(<!-- /generated:${name} -->)`);
    if (!pattern.test(text)) continue;
    const body = await render();
    text = text.replace(pattern, (_all, open: string, close: string) => `${open}${body}\n${close}`);
  }
  return text;
}

function exitCodes(): string {
  return table(
    ['code', 'meaning'],
    Object.entries(EXIT_MEANINGS).map(([code, meaning]) => [code, meaning]),
  );
}

function policyKeys(bundle: Schema): string {
  return Object.keys(child(bundle, 'properties')).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
