import { ArgumentError } from '../graph/index.js';

/** Throws ArgumentError unless an option is a number in [least, below). */
export function checkOption(
  op: string,
  name: string,
  value: number,
  least: number,
  below = Number.POSITIVE_INFINITY,
): void {
  // JavaScript would compare a string as the number it looks like.
  if (typeof value !== 'number' || !(value >= least && value < below)) {
    const range = below === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} or more, below ${below}`;
    throw new ArgumentError(`[${op}] ${name} is ${show(value)} (expected ${range})`);
  }
}

const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/** Throws ArgumentError for an option that no default has a name for: most are misspelt. */
export function checkNames(op: string, options: object, defaults: object): void {
  const unknown = Object.keys(options).find((name) => name !== 'params' && !Object.hasOwn(defaults, name));
  if (unknown === undefined) return;
  throw new ArgumentError(`[${op}] unknown option: ${unknown} (expected ${Object.keys(defaults).join(', ')})`);
}
