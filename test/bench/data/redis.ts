import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { startRedis } from '../../services/redis.ts';

/** A private server, for the cases that compare dumps. */
export interface BenchRedis {
  /** How a policy reaches it. */
  readonly target: Readonly<Record<string, unknown>>;
  /** How redis-cli does, with its password in the environment. */
  readonly cli: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly run: (words: readonly string[], input?: Buffer | string) => void;
  readonly stop: () => Promise<void>;
}

/** Starts an empty server that sends its dump at once: what it waits for more replicas would hide all else. */
export function startBenchRedis(): BenchRedis {
  const { port, password, stop } = startRedis('redis-server');
  const cli = ['redis-cli', '-h', '127.0.0.1', '-p', String(port)];
  const env = { REDISCLI_AUTH: password };
  return {
    target: { type: 'redis', host: '127.0.0.1', port, password },
    cli,
    env,
    run: (words, input) => {
      const [program = '', ...rest] = cli;
      execFileSync(program, [...rest, ...words], {
        env: { ...process.env, ...env },
        input,
        stdio: ['pipe', 'ignore', 'inherit'],
      });
    },
    stop,
  };
}

const KEYS = 1_000_000;
const BATCH = 10_000;
const LARGE_BYTES = 64 * 1024 * 1024;

/** Fills it with a million keys of 200 bytes that compress as tokens do, and one value of 64 MB that does not. */
export function fillRedis({ run }: BenchRedis): void {
  const script = `for i = ARGV[1], ARGV[2] do
      local text = ''
      for part = 1, 5 do text = text .. redis.sha1hex(i .. ' ' .. part) end
      redis.call('SET', 'session:' .. i, text)
      if i % 10 == 0 then redis.call('EXPIRE', 'session:' .. i, 864000) end
    end`;
  for (let at = 0; at < KEYS; at += BATCH) run(['EVAL', script, '0', String(at + 1), String(at + BATCH)]);
  run(['-x', 'SET', 'large'], randomBytes(LARGE_BYTES));
}
