import { reasonOf, targetError } from '../../errors.ts';
import type { Facts, FactValue } from '../engine.ts';

const HINT = 'it must print one JSON object of numbers, text, true, false, null and objects of those';

/** What a facts program printed. Throws `target` where that is anything but one JSON object. */
export function readFacts(said: string, program: string): Facts {
  let value: unknown;
  try {
    value = JSON.parse(said);
  } catch (error) {
    throw targetError(`cannot read the facts of ${program}: ${reasonOf(error)}`, { hint: HINT });
  }
  if (!isFacts(value))
    throw targetError(`cannot read the facts of ${program}: not an object of plain values`, { hint: HINT });
  return value;
}

const isFacts = (value: unknown): value is Facts =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isFactValue);

const isFactValue = (value: unknown): value is FactValue =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value) || isFacts(value);
