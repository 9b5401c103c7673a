import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandLineError } from '../../src/commands/command-line-error.ts';
import { durationOption, lockTimeout } from '../../src/commands/durations.ts';
import { optionValues } from '../../src/commands/option-values.ts';
import { planOptions } from '../../src/commands/plan-options.ts';
import { COMMANDS } from '../../src/commands/specs.ts';
import { aBackup, aPolicy } from '../reconcile/builders.ts';

describe('option values', () => {
  const options = optionValues({
    out: 'plan.json',
    yes: true,
    backup: ['a', 'b'],
    maxPrune: '12',
    keepOld: '7d',
    lockTimeout: '0s',
    at: '2026-11-19',
    wrong: 'x',
  });

  it('are read by type, and absent ones are absent', () => {
    expect([options.text('out'), options.text('nope'), options.text('yes')]).toEqual([
      'plan.json',
      undefined,
      undefined,
    ]);
    expect([options.flag('yes'), options.flag('out')]).toEqual([true, false]);
    expect([options.list('backup'), options.list('out')]).toEqual([['a', 'b'], []]);
    expect([options.integer('maxPrune'), options.integer('nope')]).toEqual([12, undefined]);
    expect(options.time('at')).toEqual(new Date('2026-11-19T00:00:00Z'));
    expect(durationOption(options, 'keepOld', '--keep-old')).toBe(7 * 86_400_000);
    expect([lockTimeout(options), lockTimeout(optionValues({}))]).toEqual([0, 30_000]);
  });

  it('of the wrong shape are wrong usage', () => {
    expect(() => options.integer('wrong')).toThrow('cannot read --wrong x: not a whole number');
    expect(() => options.time('wrong')).toThrow('cannot read --wrong x: not a time');
    expect(() => optionValues({ at: '2026-11-19T02:00' }).time('at')).toThrow('not a time');
    expect(() => durationOption(options, 'wrong', '--wrong')).toThrow('cannot read --wrong x: not a duration');
  });

  it('for planning become filters', () => {
    const policy = aPolicy([aBackup({ name: 'app' })]);
    expect(planOptions(optionValues({ prune: true }), policy)).toEqual({});
    expect(
      planOptions(
        optionValues({ prune: false, backup: ['app'], only: 'create, verify', pruneRemoved: true, maxPrune: '0' }),
        policy,
      ),
    ).toEqual({ backups: ['app'], only: ['create', 'verify'], noPrune: true, pruneRemoved: true, maxPrune: 0 });
    expect(() => planOptions(optionValues({ prune: true, backup: ['ap'] }), policy)).toThrow('cannot find backup ap');
  });
});

describe('what commander says', () => {
  it.each([
    ["error: unknown command 'lst'\n(Did you mean list?)", 'unknown command "lst"', 'did you mean list?'],
    [
      "error: missing required argument 'name'",
      'missing required argument "name"',
      '`bkp help backup` shows what it takes',
    ],
    [
      "error: option '--at <time>' argument missing.",
      'option "--at <time>" argument missing',
      '`bkp help backup` shows what it takes',
    ],
  ])('%j becomes one of our errors', (message, sentence, hint) => {
    const error = commandLineError(new CommanderError(1, 'commander.some', message), ['backup', '--at']);
    expect([error.message, error.hint, error.exitCode]).toEqual([`cannot read the command line: ${sentence}`, hint, 4]);
  });
});

describe('the commands', () => {
  it('have names of their own, and options that mean the same everywhere', () => {
    const names = COMMANDS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { options } of COMMANDS) {
      const flags = options.map((option) => option.flags);
      expect(new Set(flags).size).toBe(flags.length);
    }
    const formats = COMMANDS.flatMap(({ options }) => options.filter(({ flags }) => flags.startsWith('--format')));
    expect(formats.every(({ choices }) => choices?.[0] === 'text' && choices.includes('json'))).toBe(true);
  });

  it.each(COMMANDS)('$name loads what it runs', async (spec) => {
    expect(await spec.load()).toBeTypeOf('function');
  });
});
