import type { Expectation } from './resolved-policy.ts';

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const SHAPE = /^\s*(>=|<=|!=|==|=|>|<)\s*(.*?)\s*$/s;
const RELATIVE = new RegExp(`^previous(?:\\s*\\*\\s*(${NUMBER}))?$`);

/** Reads `> 0`, `= 12`, `!= 'x'` or `>= previous * 0.9`; the sentence says why it cannot. */
export function parseExpectation(text: string): Expectation | string {
  const shape = SHAPE.exec(text);
  if (shape === null) return 'it begins with one of > >= < <= = !=';
  const [, operator = '', right = ''] = shape;
  if (operator === '==') return 'equality is written with one =';
  if (/^[<>=!]/.test(right)) return `${operator}${right.charAt(0)} is no operator`;
  if (right === '') return `nothing stands after ${operator}`;
  const relation = operator as Expectation['operator'];
  const relative = RELATIVE.exec(right);
  if (relative !== null) return { text, operator: relation, relative: true, value: Number(relative[1] ?? 1) };
  if (right.startsWith('previous')) return '`previous` may only be multiplied by a number';
  if (new RegExp(`^${NUMBER}$`).test(right)) return { text, operator: relation, relative: false, value: Number(right) };
  if (relation !== '=' && relation !== '!=') return `${operator} compares numbers, and "${right}" is none`;
  return { text, operator: relation, relative: false, value: right.replace(/^(['"])(.*)\1$/s, '$2') };
}
