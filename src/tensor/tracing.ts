import { UnsupportedError } from '../graph/index.js';
import { activeTrace } from './trace.js';

let transform: string | null = null;
let vmaps = 0;

/** Calls a user's function on behalf of a transform. Compiled functions inside are then the functions themselves. */
export function tracing<T>(name: string, fn: () => T): T {
  const outer = transform;
  const mapping = name === 'vmap' ? 1 : 0;
  transform = name;
  vmaps += mapping;
  try {
    return fn();
  } finally {
    transform = outer;
    vmaps -= mapping;
  }
}

/** Whether a gradient, a vmap or another transform of functions is calling a user's function. */
export const insideTransform = (): boolean => transform !== null;

/** Whether what runs computes one example for all. */
export const insideVmap = (): boolean => vmaps > 0;

/** Refuses an operation whose result has a shape that depends on data: a transform has no data to ask. */
export function refuseInTransforms(op: string): void {
  const inside = transform ?? (activeTrace() === null ? null : 'compile');
  if (inside !== null) {
    throw new UnsupportedError(`[${op}] the shape depends on data, inside ${inside} (expected { size } there)`);
  }
}
