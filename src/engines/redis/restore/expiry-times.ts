/** When keys of a dump expire, as far as a restore may live to see it; second by second, so that it stays small. */
export interface ExpiryTimes {
  add(database: number, expireAt: number): void;
  /** How many keys of a database expire until a moment. */
  until(database: string, moment: Date): number;
}

const DAY_SECONDS = 86_400;

/** Starts to note times; what expires later than a day after `start` stays. */
export function openExpiryTimes(start: Date): ExpiryTimes {
  const counts = new Map<string, Map<number, number>>();
  const secondOf = (milliseconds: number): number => Math.max(0, Math.ceil((milliseconds - start.getTime()) / 1000));
  return {
    add(database, expireAt) {
      const second = secondOf(expireAt);
      if (second > DAY_SECONDS) return;
      const name = String(database);
      const own = counts.get(name) ?? new Map<number, number>();
      own.set(second, (own.get(second) ?? 0) + 1);
      counts.set(name, own);
    },
    until(database, moment) {
      // The server's clock is another.
      const last = secondOf(moment.getTime()) + CLOCKS_DIFFER_SECONDS;
      let sum = 0;
      for (const [second, count] of counts.get(database) ?? []) if (second <= last) sum += count;
      return sum;
    },
  };
}

const CLOCKS_DIFFER_SECONDS = 60;
