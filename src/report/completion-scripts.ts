/** The command line as a completion script needs to know it. */
export interface CommandLine {
  readonly commands: readonly CommandWords[];
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  /** What its arguments are; where it is a backup or a snapshot, names of the policy are offered. */
  readonly argument: 'backup' | 'snapshot' | 'file' | 'word' | 'none';
  /** Fixed words for the argument. */
  readonly words: readonly string[];
  readonly options: readonly OptionWords[];
}

export interface OptionWords {
  /** `--format`, and where there is one `-f`. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: 'none' | 'backup' | 'file' | 'choice' | 'text';
  readonly choices: readonly string[];
}

/** Names of backups in `bkp.yaml`, read by sed: starting Node for a key press would be felt. */
const BACKUP_NAMES = String.raw`sed -n '/^backups:/,/^[^ #]/s/^  \([a-z0-9][a-z0-9-]*\):.*/\1/p' bkp.yaml 2>/dev/null`;

export function bashCompletion({ commands }: CommandLine): string {
  const cases = commands.map((command) => {
    const values = command.options
      .filter(({ value }) => value !== 'none')
      .map((option) => `        ${option.names.join('|')}) ${bashValue(option)}; return ;;`);
    const names = command.options.flatMap((option) => option.names.filter((name) => name.startsWith('--')));
    return `    ${command.name})
      case "$previous" in
${values.join('\n')}
      esac
      if [[ "$current" == -* ]]; then COMPREPLY=( $(compgen -W '${names.join(' ')}' -- "$current") ); return; fi
      ${bashArgument(command)} ;;`;
  });
  return `# bash completion for bkp: source <(bkp completion bash)
_bkp_backups() { ${BACKUP_NAMES}; }
_bkp() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=( $(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$current") )
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -F _bkp bkp
`;
}

function bashValue({ value, choices }: OptionWords): string {
  if (value === 'choice') return `COMPREPLY=( $(compgen -W '${choices.join(' ')}' -- "$current") )`;
  if (value === 'backup') return 'COMPREPLY=( $(compgen -W "$(_bkp_backups)" -- "$current") )';
  return value === 'file' ? 'COMPREPLY=( $(compgen -f -- "$current") )' : 'COMPREPLY=()';
}

function bashArgument({ argument, words }: CommandWords): string {
  if (words.length > 0) return `COMPREPLY=( $(compgen -W '${words.join(' ')}' -- "$current") )`;
  if (argument === 'backup') return 'COMPREPLY=( $(compgen -W "$(_bkp_backups)" -- "$current") )';
  if (argument === 'snapshot')
    return 'COMPREPLY=( $(compgen -W "$(_bkp_backups | sed \'s/$/@latest/\')" -- "$current") )';
  return argument === 'file' ? 'COMPREPLY=( $(compgen -f -- "$current") )' : 'COMPREPLY=()';
}

export function zshCompletion({ commands }: CommandLine): string {
  const list = commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`);
  const cases = commands.map((command) => {
    const specs = command.options.flatMap((option) => option.names.map((name) => quoted(zshOption(name, option))));
    const argument = quoted(`*:${command.argument}:${zshArgument(command)}`);
    return `    ${command.name}) _arguments ${[...specs, argument].join(' ')} ;;`;
  });
  return `#compdef bkp
# zsh completion for bkp: bkp completion zsh > "\${fpath[1]}/_bkp"
_bkp_backups() { local -a names; names=( \${(f)"$(${BACKUP_NAMES})"} ); compadd -a names }
_bkp_snapshots() { local -a names; names=( \${(f)"$(${BACKUP_NAMES})"} ); compadd -- \${^names}@latest }
_bkp() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words; (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _bkp bkp
`;
}

function zshOption(name: string, { description, value, choices }: OptionWords): string {
  const text = `*${name}[${description.replaceAll(/[[\]]/g, '').replaceAll(':', '\\:')}]`;
  const actions = {
    none: '',
    backup: ':backup:_bkp_backups',
    file: ':file:_files',
    text: ':value: ',
    choice: `:value:(${choices.join(' ')})`,
  };
  return text + actions[value];
}

function zshArgument({ argument, words }: CommandWords): string {
  if (words.length > 0) return `(${words.join(' ')})`;
  return { backup: '_bkp_backups', snapshot: '_bkp_snapshots', file: '_files', word: ' ', none: ' ' }[argument];
}

export function fishCompletion({ commands }: CommandLine): string {
  const lines = commands.flatMap((command) => {
    const only = `complete -c bkp -n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`;
    return [
      `complete -c bkp -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.description)}`,
      ...fishArgument(command).map((action) => `${only} ${action}`),
      ...command.options.map((option) => `${only} ${fishOption(option)}`),
    ];
  });
  return `# fish completion for bkp: bkp completion fish > ~/.config/fish/completions/bkp.fish
function __bkp_backups; ${BACKUP_NAMES}; end
complete -c bkp -f
${lines.join('\n')}
`;
}

function fishOption({ names, description, value, choices }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const actions = {
    none: '',
    backup: " -x -a '(__bkp_backups)'",
    file: ' -r -F',
    text: ' -x',
    choice: ` -x -a ${quoted(choices.join(' '))}`,
  };
  return `${flags} -d ${quoted(description)}${actions[value]}`;
}

function fishArgument({ argument, words }: CommandWords): readonly string[] {
  if (words.length > 0) return [`-a ${quoted(words.join(' '))}`];
  if (argument === 'backup') return ["-a '(__bkp_backups)'"];
  if (argument === 'snapshot') return ["-a '(__bkp_backups)@latest'"];
  return argument === 'file' ? ['-F'] : [];
}

/** Single quotes, with those inside as every of the three shells reads them. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
