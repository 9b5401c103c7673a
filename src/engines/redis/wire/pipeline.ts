import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from './wire.ts';

/** Takes the answer to a command; null where the connection ended first and nobody knows what became of it. */
export type Answered = (line: string | null) => void;

/** Commands on their way, answered one line each and in their order. */
export interface Pipeline {
  /** Hands bytes over; resolves once the system has them, and not too many answers are due. */
  send(bytes: Buffer): Promise<void>;
  /** A command is among the bytes that follow. What `answered` throws ends the pipeline once all answers are there. */
  expect(answered: Answered): void;
  /** Waits for all answers. */
  settle(): Promise<void>;
  /** The same after a failure, without throwing: what was sent is done all the same, and its answers tell. */
  drain(): Promise<void>;
}

const MOST_DUE = 1_000;
const PATIENCE_MS = 15_000;

/** Takes a wire over for many commands. */
export function openPipeline({ socket, broken }: Wire): Pipeline {
  const due: Answered[] = [];
  let first = 0;
  let rest = '';
  let failure: unknown;
  const answer = (line: string | null): void => {
    try {
      due[first++]?.(line);
    } catch (error) {
      failure ??= error;
    }
  };
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answer(line);
    if (first === due.length || first > MOST_DUE) {
      due.splice(0, first);
      first = 0;
    }
  });
  socket.once('error', (error) => (failure ??= error));
  socket.once('close', () => {
    failure ??= new Error('it closed the connection');
    while (first < due.length) answer(null);
  });
  let wake = (): void => undefined;
  const wakeUp = (): void => wake();
  for (const event of ['data', 'close']) socket.on(event, wakeUp);
  const change = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  const assertWell = (): void => {
    if (failure !== undefined) throw broken(failure);
  };
  const isAnswered = (): boolean => first >= due.length || socket.destroyed;
  return {
    async send(bytes) {
      assertWell();
      if (bytes.length > 0) socket.write(bytes, wakeUp);
      while (socket.writableLength > 0 || due.length - first >= MOST_DUE) {
        await change();
        assertWell();
      }
    },
    expect: (answered) => void due.push(answered),
    async settle() {
      while (!isAnswered()) await change();
      assertWell();
    },
    async drain() {
      const patience = new AbortController();
      const { signal } = patience;
      const giveUp = sleep(PATIENCE_MS, undefined, { signal }).then(
        () => socket.destroy(),
        () => undefined,
      );
      while (!isAnswered()) await change();
      patience.abort();
      await giveUp;
    },
  };
}
