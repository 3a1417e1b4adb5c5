import { UnsupportedError } from '../graph/index.js';

let transform: string | null = null;

/** Calls a user's function on behalf of a transform. */
export function tracing<T>(name: string, fn: () => T): T {
  const outer = transform;
  transform = name;
  try {
    return fn();
  } finally {
    transform = outer;
  }
}

/** Refuses an operation whose result has a shape that depends on data: a transform has no data to ask. */
export function refuseInTransforms(op: string): void {
  if (transform !== null) {
    throw new UnsupportedError(`[${op}] the shape depends on data, inside ${transform} (expected { size } there)`);
  }
}
