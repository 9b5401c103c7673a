import type { ByteName } from './byte-name.ts';
import { ownNamePatterns } from './own-names.ts';
import type { TarProgram } from './tar-program.ts';

export interface CreateOptions {
  /** The folder that names are relative to. */
  readonly base: string;
  /** File with the names, each ended by a zero byte. */
  readonly listFile: string;
  /** Whether tar enters the folders that are listed; if so it sorts, and leaves out bkp's own things (GNU tar only). */
  readonly recursive: boolean;
  readonly oneFileSystem: boolean;
  /** A folder to leave out, relative to `base`; only with `recursive`. */
  readonly exclude: string | null;
}

/** Writes an archive to standard output: pax, numeric owners, holes, attributes, ACLs, times to the nanosecond. */
export function createArgv(tar: TarProgram, options: CreateOptions): readonly string[] {
  if (tar.flavour === 'bsd') {
    return [
      '-c',
      '-f',
      '-',
      '--format=pax',
      '--numeric-owner',
      '--acls',
      '--xattrs',
      '-n',
      ...bsdPlace(options.base, options.listFile),
    ];
  }
  return [
    '--create',
    '--file=-',
    '--format=posix',
    // No process ids, no access times: the same tree gives the same bytes.
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--numeric-owner',
    '--sparse',
    // Fewer and larger writes: 5 % less CPU for the whole capture.
    '--blocking-factor=64',
    ...GNU_ATTRIBUTES,
    '--xattrs-include=*',
    ...(options.oneFileSystem ? ['--one-file-system'] : []),
    ...(options.recursive ? ['--sort=name', ...gnuExcludes(options.exclude)] : ['--no-recursion']),
    ...gnuPlace(options.base, options.listFile),
  ];
}

export interface ExtractOptions {
  readonly base: string;
  /** Names to extract (folders with all below); null for the whole archive. */
  readonly listFile: string | null;
  readonly asRoot: boolean;
  /** ACLs in their text form are applied only where the archive has no binary ones: names may mean other users here. */
  readonly textAcls: boolean;
}

/** Reads an archive from standard input and writes its entries below a folder. */
export function extractArgv(tar: TarProgram, options: ExtractOptions): readonly string[] {
  const owner = options.asRoot ? '--same-owner' : '--no-same-owner';
  if (tar.flavour === 'bsd') {
    const place = options.listFile === null ? ['-C', options.base] : bsdPlace(options.base, options.listFile);
    return ['-x', '-f', '-', '--ignore-zeros', '-p', '--numeric-owner', owner, '--acls', '--xattrs', ...place];
  }
  return [
    '--extract',
    '--file=-',
    '--preserve-permissions',
    '--numeric-owner',
    owner,
    '--xattrs',
    ...(options.asRoot ? ['--xattrs-include=*'] : ['--xattrs-include=user.*', '--xattrs-include=system.posix_acl_*']),
    ...(options.textAcls ? ['--acls'] : []),
    '--delay-directory-restore',
    '--warning=no-timestamp',
    '--warning=no-unknown-keyword',
    // To the end of the input, or the decoder before it breaks off in what pads the archive.
    '--ignore-zeros',
    ...(options.listFile === null
      ? ['--directory', options.base]
      : ['--anchored', '--no-wildcards', ...gnuPlace(options.base, options.listFile)]),
  ];
}

/** A name for bsdtar's lists, which hold patterns when it extracts. */
export const listedName = (tar: TarProgram, name: ByteName): ByteName =>
  tar.flavour === 'gnu' ? name : name.replace(/[*?[\]\\]/g, '\\$&');

/** The options a person types to restore an archive by hand. */
export const HAND_OPTIONS = "-x -p --numeric-owner --same-owner --xattrs --xattrs-include='*' --acls" as const;

const GNU_ATTRIBUTES = ['--xattrs', '--acls'] as const;

const gnuPlace = (base: string, listFile: string): readonly string[] => [
  '--directory',
  base,
  '--null',
  '--verbatim-files-from',
  `--files-from=${listFile}`,
];

const bsdPlace = (base: string, listFile: string): readonly string[] => ['-C', base, '--null', '-T', listFile];

const gnuExcludes = (folder: string | null): readonly string[] => [
  ...(folder === null ? [] : ['--anchored', '--no-wildcards', `--exclude=${folder}`]),
  '--no-anchored',
  '--wildcards',
  '--no-wildcards-match-slash',
  ...ownNamePatterns().map((pattern) => `--exclude=${pattern}`),
];
