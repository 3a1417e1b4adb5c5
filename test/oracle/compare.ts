import type { Shape, TypedArray } from '../../src/graph/index.js';
import type { Tolerance, ToleranceClass } from './tolerances.js';

/** Which column of the table holds, and whether results below the smallest normal number may be zeros. */
export type EngineKind = 'reference' | 'kernels';

const SMALLEST_NORMAL = 2 ** -126;

const isSubnormal = (x: number): boolean => x !== 0 && Math.abs(x) < SMALLEST_NORMAL;

function near(actual: number, expected: number, { ulp, absolute }: Tolerance): boolean {
  return Math.abs(actual - expected) <= absolute + ulp * 2 ** -23 * Math.max(Math.abs(expected), SMALLEST_NORMAL);
}

/**
 * Whether one result is right. NaN and infinities must be equal. Kernels may take subnormal numbers for zeros or not, of each operand
 * and of the result, and may so hand on a subnormal where a zero is expected.
 */
function matches(actual: number, expected: number, rules: ToleranceClass, kind: EngineKind): boolean {
  if (Object.is(actual, expected)) return true;
  if (actual === 0 && expected === 0) return !rules.signedZeros;
  if (kind === 'kernels' && isSubnormal(expected) && Math.abs(actual) <= SMALLEST_NORMAL) return true;
  if (kind === 'kernels' && isSubnormal(actual) && expected === 0) return true;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return false;
  return near(actual, expected, rules[kind]);
}

export interface Comparison {
  readonly rules: ToleranceClass;
  readonly kind: EngineKind;
  /** Other results that are right too, element by element: those of inputs that the engine may have flushed. */
  readonly alternatives?: readonly TypedArray[];
}

const show = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

function indexOf(flat: number, shape: Shape): string {
  const index: number[] = [];
  let rest = flat;
  for (const d of [...shape].reverse()) {
    index.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return `[${index.join(', ')}]`;
}

/** What is wrong with a result, or null: array type, length, or the first element that is not right (and how many are not). */
export function mismatch(
  actual: TypedArray,
  expected: TypedArray,
  shape: Shape,
  { rules, kind, alternatives = [] }: Comparison,
): string | null {
  if (actual.constructor !== expected.constructor) {
    return `is a ${actual.constructor.name} (expected ${expected.constructor.name})`;
  }
  if (actual.length !== expected.length) return `has ${actual.length} elements (expected ${expected.length})`;
  const wrong: number[] = [];
  for (let i = 0; i < expected.length; i++) {
    const right = [expected, ...alternatives].some((values) => matches(actual[i]!, values[i]!, rules, kind));
    if (!right) wrong.push(i);
  }
  if (wrong.length === 0) return null;
  const [first] = wrong as [number];
  const { ulp, absolute } = rules[kind];
  const away = Math.abs(actual[first]! - expected[first]!);
  return (
    `${wrong.length} of ${expected.length} elements are wrong, first at ${indexOf(first, shape)}: ` +
    `${show(actual[first]!)} (expected ${show(expected[first]!)}; ${away} away, ulp ${ulp}, absolute ${absolute})`
  );
}
