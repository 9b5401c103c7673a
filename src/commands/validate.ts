import { EXIT, type Diagnostic, type ExitCode } from '../errors.ts';
import { enclosedIdentities } from '../policy/enclosed-identities.ts';
import { examinePolicy } from '../policy/load.ts';
import type { PolicyFiles } from '../policy/read-documents.ts';
import { diagnosticsGithub } from '../report/diagnostics-github.ts';
import { diagnosticsJson } from '../report/diagnostics-json.ts';
import { diagnosticsText, plural } from '../report/diagnostics.ts';
import type { Terminal } from '../report/terminal.ts';
import { examineSigningKey } from './signing-key.ts';

export type ValidateFormat = 'text' | 'json' | 'github';

export interface ValidateOptions {
  /** The policy file; `-` is standard input. */
  readonly path: string;
  readonly format: ValidateFormat;
  /** Warnings make the policy invalid. */
  readonly strict: boolean;
  /** Absolute paths of private keys that this machine opens backups with. */
  readonly identities?: readonly string[];
}

/** `bkp validate` without `--online`: syntax, schema and rules; needs no environment, network or target. */
export async function validate(options: ValidateOptions, terminal: Terminal, files: PolicyFiles): Promise<ExitCode> {
  const { policy, diagnostics: ofText } = await examinePolicy({ path: options.path, files });
  const enclosed = policy === undefined ? [] : enclosedIdentities(policy, options.identities ?? []);
  const diagnostics = [...ofText, ...enclosed, ...(policy === undefined ? [] : examineSigningKey(policy))];
  const judged = options.strict ? diagnostics.map(asError) : diagnostics;
  const valid = policy !== undefined && !judged.some(({ severity }) => severity === 'error');
  print(options, judged, valid, terminal);
  return valid ? EXIT.done : EXIT.invalid;
}

const asError = (diagnostic: Diagnostic): Diagnostic => ({ ...diagnostic, severity: 'error' });

function print(options: ValidateOptions, diagnostics: readonly Diagnostic[], valid: boolean, terminal: Terminal): void {
  if (options.format === 'json') {
    terminal.out(`${JSON.stringify(diagnosticsJson(diagnostics, valid), null, 2)}\n`);
    return;
  }
  if (options.format === 'github') {
    terminal.out(diagnosticsGithub(diagnostics));
    return;
  }
  terminal.err(diagnosticsText(diagnostics, terminal.paintErr));
  if (!valid) return;
  const but = diagnostics.length > 0 ? `, with ${plural(diagnostics.length, 'warning')}` : '';
  terminal.out(`${terminal.paint('green', 'valid')} ${options.path === '-' ? 'standard input' : options.path}${but}\n`);
}
