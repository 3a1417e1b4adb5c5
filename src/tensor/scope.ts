import { realize } from '../compile/index.js';
import { constant, TillerError } from '../graph/index.js';
import { isAdopted, watchingTensors } from './handle.js';
import { tensorsWithin } from './structure.js';
import type { Tensor } from './tensor.js';

const kept = new WeakSet<Tensor>();

/** Keeps a tensor (or the tensors in arrays and objects) beyond the scope that it was made in: module and optimizer state. */
export function keep<T>(value: T): T {
  for (const x of tensorsWithin(value)) kept.add(x);
  return value;
}

/**
 * Runs a function and frees what was computed inside, except the tensors it returns (also in arrays and plain objects), those that `keep` was
 * given, and gradients. When it returns a promise, that happens when the promise settles, and only tensors made before the first `await` count.
 *
 *     const digit = await tl.scope(() => model.forward(image).argmax(1).item());
 */
export function scope<T>(f: () => T): T {
  const made: Tensor[] = [];
  // Node ids rise: nodes up to this one were made outside, even where a tensor made inside stands for them.
  const last = constant(0, 'f32').id;
  const finish = (result: unknown) => free(made, last, tensorsWithin(result));
  let result: T;
  try {
    result = watchingTensors((x) => made.push(x), f);
  } catch (error) {
    finish(null);
    throw error;
  }
  if (result instanceof Promise) {
    return result.then(
      (value: unknown) => {
        finish(value);
        return value;
      },
      (error: unknown) => {
        finish(null);
        throw error;
      },
    ) as T;
  }
  finish(result);
  return result;
}

function free(made: readonly Tensor[], last: number, returned: readonly Tensor[]): void {
  const staying = [...returned, ...made.filter((x) => kept.has(x))].filter((x) => !x.disposed);
  const spared = new Set(staying.map((x) => x.node));
  const computed = made.filter((x) => {
    if (x.disposed || x.node.id <= last || spared.has(x.node)) return false;
    return x.node.realized !== null && !isAdopted(x.node.realized);
  });
  if (computed.length === 0) return;
  // What stays may still need what is about to go.
  const waiting = [...spared].filter((node) => node.realized === null);
  for (const node of waiting) {
    try {
      realize([node]);
    } catch (error) {
      // What is stale already (a gradient after its step) says so where it is read.
      if (!(error instanceof TillerError)) throw error;
    }
  }
  for (const x of computed) x.dispose();
}
