import { EXIT, usageError } from '../errors.ts';
import {
  bashCompletion,
  fishCompletion,
  zshCompletion,
  type CommandLine,
  type CommandWords,
  type OptionWords,
} from '../report/completion-scripts.ts';
import { didYouMean } from '../policy/did-you-mean.ts';
import type { CommandRun, CommandSpec, OptionSpec } from './command.ts';

const SHELLS: Readonly<Record<string, (line: CommandLine) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** What may stand behind a command that takes one of few words. */
const WORDS: Readonly<Record<string, readonly string[]>> = { completion: Object.keys(SHELLS), catalog: ['rebuild'] };

/** `bkp completion bash|zsh|fish`: prints a script that is generated from the commands themselves. */
export const completionCommand: CommandRun = async ([shell = ''], _options, { terminal }) => {
  const known = Object.keys(SHELLS);
  const script = known.includes(shell) ? SHELLS[shell] : undefined;
  if (script === undefined) {
    throw usageError(`cannot complete for shell "${shell}"${didYouMean(shell, known)}`, {
      hint: `shells: ${known.join(', ')}`,
    });
  }
  const { COMMANDS } = await import('./specs.ts');
  terminal.out(script(commandLine(COMMANDS)));
  return EXIT.done;
};

/** What completion needs to know of the commands. */
export function commandLine(commands: readonly CommandSpec[]): CommandLine {
  return { commands: commands.map(commandWords) };
}

function commandWords({ name, description, options, ...spec }: CommandSpec): CommandWords {
  const words = WORDS[name] ?? [];
  return {
    name,
    description,
    words,
    argument: argumentOf(name, spec.arguments ?? ''),
    options: options.map(optionWords),
  };
}

function argumentOf(command: string, argument: string): CommandWords['argument'] {
  if (argument === '') return 'none';
  if (/backup/.test(argument) || command === 'backup') return 'backup';
  if (/snapshot|<a>/.test(argument)) return 'snapshot';
  return /plan|file|folder/.test(argument) ? 'file' : 'word';
}

function optionWords({ flags, description, choices = [] }: OptionSpec): OptionWords {
  const names = flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
  const placeholder = /[<[]([^>\]]+)/.exec(flags)?.[1];
  const base = { names, description, choices };
  if (placeholder === undefined) return { ...base, value: 'none' };
  if (choices.length > 0) return { ...base, value: 'choice' };
  if (names.includes('--backup')) return { ...base, value: 'backup' };
  return { ...base, value: /path|file|folder/.test(placeholder) ? 'file' : 'text' };
}
