import { ArgumentError } from '../graph/index.js';

/** Throws ArgumentError unless an option is a number in [least, below). */
export function checkOption(
  op: string,
  name: string,
  value: number,
  least: number,
  below = Number.POSITIVE_INFINITY,
): void {
  if (!(value >= least && value < below)) {
    const range = below === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} or more, below ${below}`;
    throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected ${range})`);
  }
}
