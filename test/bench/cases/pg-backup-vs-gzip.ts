import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from '../case.ts';
import { type BenchServer, startBenchServer } from '../data/postgres.ts';
import { folderBytes } from '../folder-bytes.ts';
import type { Lab } from '../lab.ts';
import { roundRobin, type Side, wallRatio } from '../round-robin.ts';
import { applySide, FAST, shellSide } from './pg-sides.ts';

const GZIP = 'pg_dump -Fc';
const BORGMATIC = 'borgmatic create';
const BACKREST = 'pgbackrest backup, zst, whole server';

/** A side that remembers how much it left, run by run. */
function sized(side: Side, place: string): { readonly side: Side; readonly bytes: readonly number[] } {
  const bytes: number[] = [];
  const after = async (): Promise<void> => {
    bytes.push(folderBytes(join(side.command.cwd ?? '', place)));
    await side.after?.();
  };
  return { side: { ...side, after }, bytes };
}

/** borgmatic dumps with pg_dump -Fc into Borg, which cuts, compresses and hashes it. */
function borgmaticSide(lab: Lab, { bin, connection }: BenchServer): Side {
  const cwd = lab.emptyFolder('borgmatic');
  const { host = '', port = '', user = '', password = '' } = connection;
  const config = {
    location: { source_directories: ['/var/empty'], repositories: [join(cwd, 'dump')] },
    storage: { encryption_passphrase: 'none', compression: 'zstd,3' },
    hooks: {
      postgresql_databases: [
        { name: 'bench', hostname: host, port: Number(port), username: user, password, format: 'custom' },
      ],
    },
  };
  writeFileSync(join(cwd, 'config.yaml'), JSON.stringify(config));
  mkdirSync('/var/empty', { recursive: true });
  const borgmatic = 'borgmatic --config config.yaml';
  return {
    name: BORGMATIC,
    command: {
      argv: ['sh', '-c', `${borgmatic} init -e none && ${borgmatic} create`],
      cwd,
      env: { HOME: cwd, PATH: `${bin}:${process.env['PATH'] ?? ''}` },
    },
    after: () => rmSync(join(cwd, 'dump'), { recursive: true, force: true }),
  };
}

/** pgBackRest copies the files of the server, indexes and all other databases too: it can be restored as a whole only. */
function backrestSide(lab: Lab, { connection, sql }: BenchServer): Side {
  const cwd = lab.emptyFolder('pgbackrest');
  const { port = '', user = '', password = '', socket = '' } = connection;
  writeFileSync(join(cwd, 'pgpass'), `*:*:*:${user}:${password}\n`, { mode: 0o600 });
  const options = [
    '--stanza=bench',
    `--pg1-path=${sql('SHOW data_directory')}`,
    `--pg1-port=${port}`,
    `--pg1-socket-path=${socket}`,
    `--pg1-user=${user}`,
    `--repo1-path=${join(cwd, 'dump')}`,
    `--lock-path=${cwd}`,
    '--log-level-file=off',
  ].join(' ');
  // Without the archived log it could not be restored; that log is no part of what is compared.
  const backup = '--type=full --compress-type=zst --process-max=2 --start-fast --no-archive-check';
  return {
    name: BACKREST,
    command: {
      argv: ['sh', '-c', `pgbackrest ${options} stanza-create && pgbackrest ${options} ${backup} backup`],
      cwd,
      env: { PGPASSFILE: join(cwd, 'pgpass') },
    },
    after: () => rmSync(join(cwd, 'dump'), { recursive: true, force: true }),
  };
}

export const pgBackupVsGzip: BenchCase = {
  name: 'pg-backup-vs-gzip',
  title:
    "the same beside pg_dump's own compression, borgmatic's dump into Borg, and pgBackRest's copy of the whole server",
  tools: { borgmatic: 'borgmatic', borg: 'borgbackup', pgbackrest: 'pgbackrest' },
  async run(lab) {
    const server = await startBenchServer();
    try {
      const own = sized(applySide(lab, server, FAST, { checks: 'fast' }), 'repository');
      const gzip = sized(shellSide(lab, server, GZIP, 'pg_dump -w -Fc -f dump'), 'dump');
      const results = await roundRobin(
        [own.side, gzip.side, borgmaticSide(lab, server), backrestSide(lab, server)],
        lab.runs,
      );
      const size = own.bytes.map((bytes, run) => bytes / (gzip.bytes[run] ?? Number.NaN));
      return {
        sides: results,
        verdicts: [
          wallRatio(results, FAST, GZIP, 0.35),
          { label: `${FAST} / ${GZIP}, size`, values: size, unit: 'x', atMost: 0.95 },
          wallRatio(results, FAST, BORGMATIC, null),
          wallRatio(results, FAST, BACKREST, null),
        ],
      };
    } finally {
      await server.stop();
    }
  },
};
