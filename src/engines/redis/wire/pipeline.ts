import { once } from 'node:events';
import type { Wire } from './wire.ts';

/** Commands on their way, answered one line each and in their order. */
export interface Pipeline {
  /** Hands bytes over; resolves once the connection takes more and not too many answers are due. */
  send(bytes: Buffer): Promise<void>;
  /** A command is among the bytes that follow: `answered` gets its line. Throwing there ends the pipeline. */
  expect(answered: (line: string) => void): void;
  /** Waits for all answers. */
  settle(): Promise<void>;
}

const MOST_DUE = 20_000;

/** Takes a wire over for many commands. */
export function openPipeline({ socket, broken }: Wire): Pipeline {
  const due: ((line: string) => void)[] = [];
  let first = 0;
  let rest = '';
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
    socket.destroy();
  };
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n');
    rest = lines.pop() ?? '';
    try {
      for (const line of lines) due[first++]?.(line);
    } catch (error) {
      fail(error);
    }
    if (first === due.length || first > MOST_DUE) {
      due.splice(0, first);
      first = 0;
    }
  });
  socket.once('error', fail);
  socket.once('close', () => fail(broken(new Error('it closed the connection'))));
  const change = async (): Promise<void> => {
    await Promise.race([once(socket, 'data'), once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  };
  const assertWell = (): void => {
    if (failure !== undefined) throw broken(failure);
  };
  const waitUntil = async (isReached: () => boolean): Promise<void> => {
    assertWell();
    while (!isReached()) {
      await change();
      assertWell();
    }
  };
  return {
    async send(bytes) {
      assertWell();
      if (bytes.length > 0) socket.write(bytes);
      await waitUntil(() => !socket.writableNeedDrain && due.length - first < MOST_DUE);
    },
    expect: (answered) => void due.push(answered),
    settle: () => waitUntil(() => due.length === first),
  };
}
