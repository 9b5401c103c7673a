import pg from 'pg';
import type { TargetOf } from '../../../src/engines/engine.ts';
import type { Connection } from '../../services/connection.ts';
import { psql } from '../../services/postgres-psql.ts';

const ACCOUNTS = 100;
const WRITERS = 2;

/** Tables whose contents only agree as of one moment: rows come in pairs, and money only changes hands. */
export const BANK: string = `
CREATE SCHEMA bank;
CREATE TABLE bank.lefts (id bigserial PRIMARY KEY, pair text NOT NULL);
CREATE TABLE bank.accounts (id integer PRIMARY KEY, amount integer NOT NULL);
INSERT INTO bank.accounts SELECT i, 1000 FROM generate_series(1, ${ACCOUNTS}) i;
CREATE TABLE bank.rights (pair text NOT NULL);
`;

export interface BankWriters {
  /** How many transactions were committed so far. */
  readonly transfers: () => number;
  readonly stop: () => Promise<void>;
}

/** Writes from several sessions until it is stopped; begun when the first ones are in. */
export async function openBankWriters({
  host,
  port,
  user,
  password,
  database,
}: TargetOf<'postgres'>): Promise<BankWriters> {
  let transfers = 0;
  let isStopped = false;
  const write = async (writer: number): Promise<void> => {
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    try {
      for (let round = 0; !isStopped; round += 1) {
        const pair = `${writer}-${round}`;
        const [poor, rich] = [1 + (round % ACCOUNTS), 1 + ((round * 7 + writer) % ACCOUNTS)];
        try {
          await client.query('BEGIN');
          await client.query('INSERT INTO bank.lefts (pair) VALUES ($1)', [pair]);
          await client.query('UPDATE bank.accounts SET amount = amount - 7 WHERE id = $1', [poor]);
          await client.query('UPDATE bank.accounts SET amount = amount + 7 WHERE id = $1', [rich]);
          await client.query('INSERT INTO bank.rights VALUES ($1)', [pair]);
          await client.query('COMMIT');
          transfers += 1;
        } catch {
          // Two that wait for each other: the server ends one of them.
          await client.query('ROLLBACK');
        }
      }
    } finally {
      await client.end();
    }
  };
  const running = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  while (transfers < 50) await Promise.race([running, new Promise((resolve) => setTimeout(resolve, 5))]);
  return {
    transfers: () => transfers,
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** What the bank holds. */
export function bankBalance(
  server: Connection,
  database: string,
): { readonly lefts: number; readonly rights: number; readonly unpaired: number; readonly money: number } {
  const [lefts = 0, rights = 0, unpaired = 0, money = 0] = psql(
    server,
    database,
    `SELECT (SELECT count(*) FROM bank.lefts), (SELECT count(*) FROM bank.rights),
       (SELECT count(*) FROM bank.lefts FULL JOIN bank.rights USING (pair) WHERE id IS NULL OR rights.pair IS NULL),
       (SELECT sum(amount) FROM bank.accounts)`,
  )
    .split('|')
    .map(Number);
  return { lefts, rights, unpaired, money };
}
