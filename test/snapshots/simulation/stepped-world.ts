import { AsyncLocalStorage } from 'node:async_hooks';
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { abortReason, BkpError, repositoryError } from '../../../src/errors.ts';
import type { Repository } from '../../../src/repositories/repository.ts';
import type { LeaseTimers } from '../../../src/snapshots/lease-timers.ts';
import { openMemoryRepository, type MemoryStore } from '../../repositories/memory-repository.ts';
import { testClock, testHost, testRunner, type TestRunner } from '../fixtures.ts';

/** Something a runner asked of its store, that did not happen yet. */
interface Asked {
  readonly what: string;
  /** Asked by the renewal of a lease. */
  readonly isRenewal: boolean;
  /** Lets it happen. */
  readonly perform: () => Promise<void>;
  /** Lets it happen, and the answer get lost. */
  readonly performUnheard: () => Promise<void>;
}

interface Timer {
  due: number;
  readonly every: number | null;
  readonly fire: () => void;
}

/** A machine with clocks, timers and a way to the store of its own. */
export interface Machine {
  readonly runner: TestRunner & { readonly timers: LeaseTimers };
  readonly repository: Repository;
  readonly asked: Asked[];
  readonly timers: Set<Timer>;
  /** Lets everything that is read happen at one moment. */
  readonly atOnce: <T>(what: string, work: (repository: Repository) => Promise<T>) => Promise<T>;
  /** Digest of all it ever learned: two machines with the same one go on in the same way. */
  learned: string;
  state: 'working' | 'done' | 'dead';
}

/** One store, one true time, and machines of which one moves at a time. */
export interface SteppedWorld {
  readonly store: MemoryStore;
  readonly plain: Repository;
  readonly machines: readonly Machine[];
  time: number;
  /** Starts the work of a machine. */
  start(index: number, work: (machine: Machine) => Promise<void>): void;
  /** Waits until no machine can go on by itself. */
  settle(): Promise<void>;
  /** Lets time pass and timers fire; without beats as it is for machines that were asleep meanwhile. */
  pass(ms: number, beats: boolean): void;
  kill(index: number): void;
  /** All that decides what can happen from here on. */
  digest(): string;
}

export interface WorldOptions {
  /** By machine: how far its wall clock is from the true time. */
  readonly skewsMs: readonly number[];
  readonly startsAt: string;
  /** The store refuses to create what was removed once. */
  readonly keepsDeleteMarkers?: boolean;
  /** Reads happen as soon as they are asked for, but for those of leases: fewer orders, and none that matters less. */
  readonly readsAtOnce?: boolean;
  /** What is stored when it begins. */
  readonly objects?: MemoryStore['objects'];
}

const beating = new AsyncLocalStorage<true>();
/** How work may end that was overtaken, cut off, or found done by another. */
const EXPECTED: readonly string[] = ['lock', 'guard', 'not-found', 'repository'];
/** What others must be able to come before and after: writes, and looks at leases. */
const STEP = /^(?:put|create|remove|clone) |^list \S*locks\//;
const hashOf = (...parts: readonly string[]): string => hash('sha1', parts.join('\u0000'), 'base64');

/** Makes a world with as many machines as there are skews. */
export function newWorld(options: WorldOptions): SteppedWorld {
  const { skewsMs, startsAt, keepsDeleteMarkers = false, readsAtOnce = false, objects } = options;
  const store: MemoryStore = { objects: new Map(objects), writes: 0 };
  const plain = keepsDeleteMarkers ? withDeleteMarkers(openMemoryRepository(store)) : openMemoryRepository(store);
  const begin = Date.parse(startsAt);
  const world = { time: 0 };

  const machines = skewsMs.map((skew, index): Machine => {
    const asked: Asked[] = [];
    const timers = new Set<Timer>();
    const ask = <T>(what: string, operation: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        const learn = (answer: string): void => {
          machine.learned = hashOf(machine.learned, what, answer);
        };
        if (readsAtOnce && !STEP.test(what)) {
          operation().then(
            (answer) => (learn(textOf(answer)), resolve(answer)),
            (error: unknown) => (learn(String(error)), reject(error as Error)),
          );
          return;
        }
        const perform = (isHeard: boolean) => async (): Promise<void> => {
          asked.splice(asked.indexOf(one), 1);
          try {
            const answer = await operation();
            learn(isHeard ? textOf(answer) : 'lost');
            if (isHeard) resolve(answer);
            else reject(repositoryError(`cannot ${what}: no answer`));
          } catch (error) {
            learn(error instanceof BkpError ? error.code : String(error));
            reject(error as Error);
          }
        };
        const isRenewal = beating.getStore() === true;
        const one: Asked = { what, isRenewal, perform: perform(true), performUnheard: perform(false) };
        asked.push(one);
      });
    const time = (): number => {
      machine.learned = hashOf(machine.learned, String(world.time));
      return world.time;
    };
    const clock = { ...testClock(begin), now: () => new Date(begin + time() + skew), monotonicMs: time };
    const runner = {
      ...testRunner({ clock, host: testHost({ name: `runner-${index}`, pid: 100 + index }) }),
      timers: timersIn(timers, world),
    };
    const machine: Machine = {
      runner,
      repository: askingFor(plain, ask),
      asked,
      timers,
      atOnce: (what, work) => ask(what, () => work(plain)),
      learned: '',
      state: 'working',
    };
    return machine;
  });

  return Object.assign(world, {
    store,
    plain,
    machines,
    start: (index: number, work: (machine: Machine) => Promise<void>) => {
      const machine = machineAt(machines, index);
      work(machine)
        .catch((error: unknown) => {
          if (!(error instanceof BkpError) || !EXPECTED.includes(error.code)) machine.runner.events.push(bugOf(error));
        })
        .finally(() => {
          if (machine.state === 'working') machine.state = 'done';
        });
    },
    settle: async () => {
      const isBusy = ({ state, asked, timers }: Machine): boolean =>
        state === 'working' && asked.length === 0 && ![...timers].some(({ every }) => every === null);
      do await setImmediate();
      while (machines.some(isBusy));
    },
    pass: (ms: number, beats: boolean) => {
      world.time += ms;
      for (const { timers } of machines) {
        for (const timer of [...timers].filter(({ due, every }) => due <= world.time && (beats || every === null))) {
          if (timer.every === null) timers.delete(timer);
          else timer.due = world.time + timer.every;
          timer.fire();
        }
      }
    },
    kill: (index: number) => {
      const machine = machineAt(machines, index);
      machine.state = 'dead';
      machine.asked.length = 0;
      machine.timers.clear();
    },
    digest: () =>
      hashOf(
        String(world.time),
        ...[...store.objects].map(([key, { content }]) => `${key} ${content.toString('latin1')}`).toSorted(),
        ...machines.map(
          ({ state, learned, asked, timers }) =>
            `${state} ${learned} ${asked.map(({ what }) => what).join()} ${[...timers].map(({ due }) => due).join()}`,
        ),
      ),
  });
}

const bugOf = (error: unknown) => ({ type: 'warning' as const, message: `bug: ${String(error)}` });

export function machineAt(machines: readonly Machine[], index: number): Machine {
  const machine = machines[index];
  if (machine === undefined) throw new Error(`no machine ${index}`);
  return machine;
}

function textOf(answer: unknown): string {
  if (Buffer.isBuffer(answer)) return answer.toString('latin1');
  return JSON.stringify(answer, (_, value: unknown) => (value instanceof Map ? [...value] : value)) ?? '';
}

function timersIn(timers: Set<Timer>, world: { readonly time: number }): LeaseTimers {
  return {
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer: Timer = { due: world.time + ms, every: null, fire: resolve };
        signal.addEventListener('abort', () => reject(abortReason(signal)));
        timers.add(timer);
      }),
    every: (ms, beat) => {
      const timer: Timer = { due: world.time + ms, every: ms, fire: () => beating.run(true, beat) };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
}

const askingFor = (
  repository: Repository,
  ask: <T>(what: string, operation: () => Promise<T>) => Promise<T>,
): Repository => ({
  ...repository,
  put: (key, content) => ask(`put ${key}`, () => repository.put(key, content)),
  create: (key, content) => ask(`create ${key}`, () => repository.create(key, content)),
  read: (key) => ask(`read ${key}`, () => repository.read(key)),
  stat: async (key) => ask(`stat ${key}`, () => repository.stat(key)),
  list: (prefix, depth) => ask(`list ${prefix} ${depth}`, () => repository.list(prefix, depth)),
  remove: (key) => ask(`remove ${key}`, () => repository.remove(key)),
  clone: (from, to, bytes) => ask(`clone ${from} ${to}`, () => repository.clone(from, to, bytes)),
});

/** As a versioned bucket of some stores: what was removed leaves a marker, over which nothing is created. */
function withDeleteMarkers(repository: Repository): Repository {
  const removed = new Set<string>();
  return {
    ...repository,
    create: async (key, content) => !removed.has(key) && repository.create(key, content),
    remove: async (key) => {
      if ((await repository.stat(key)) !== undefined) removed.add(key);
      await repository.remove(key);
    },
    put: async (key, content) => {
      removed.delete(key);
      return repository.put(key, content);
    },
  };
}
