import type { Facts, FactValue } from '../engines/engine.ts';
import type { Check, Expectation } from '../policy/resolved-policy.ts';
import type { CheckOutcome } from '../snapshots/manifest.ts';

/** How a check is named in manifests and messages. */
export const checkName = (check: Check): string => ('sql' in check ? `sql: ${check.sql}` : `facts: ${check.facts}`);

/**
 * Judges one value. `previous` is the value in the last good snapshot, undefined when there is none: a relative
 * expectation then holds, since there is nothing to compare with.
 */
export function judge(check: Check, value: FactValue, previous: FactValue | undefined): CheckOutcome {
  return { check: checkName(check), expect: check.expect.text, value, ok: holds(check.expect, value, previous) };
}

function holds(expect: Expectation, value: FactValue, previous: FactValue | undefined): boolean {
  if (!expect.relative) return compare(expect.operator, value, expect.value);
  if (previous === undefined || previous === null) return true;
  const base = numeric(previous);
  const factor = numeric(expect.value);
  return base !== null && factor !== null && compare(expect.operator, value, base * factor);
}

function compare(operator: Expectation['operator'], left: FactValue, right: number | string): boolean {
  const [a, b] = [numeric(left), numeric(right)];
  if (a === null || b === null) {
    if (operator === '=') return factText(left) === String(right);
    return operator === '!=' && factText(left) !== String(right);
  }
  switch (operator) {
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '=':
      return a === b;
    case '!=':
      return a !== b;
  }
}

function numeric(value: FactValue): number | null {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** The value at a dotted path of facts; keys may hold dots themselves. Undefined when there is none. */
export function factAt(facts: Facts, path: string): FactValue | undefined {
  if (path in facts) return facts[path];
  for (let dot = path.lastIndexOf('.'); dot > 0; dot = path.lastIndexOf('.', dot - 1)) {
    const inner = facts[path.slice(0, dot)];
    if (inner !== null && typeof inner === 'object') {
      const found = factAt(inner, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** A fact in a message: text and numbers as they are, groups as JSON. */
export const factText = (value: FactValue): string =>
  value !== null && typeof value === 'object' ? JSON.stringify(value) : String(value);
