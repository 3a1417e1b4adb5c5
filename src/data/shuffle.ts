import { SeededRandom } from './random.js';

/**
 * The numbers 0..length-1 in an order that depends only on the seed (and `stream`, for example an epoch): Fisher–Yates.
 */
export function seededPermutation(length: number, seed: number, stream = 0): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  const random = new SeededRandom(seed, stream);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
