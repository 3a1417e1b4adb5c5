/** How far apart two results are. */
export interface Agreement {
  /** Largest difference, each relative to the value's own size or to the typical size (root mean square) where that is larger. */
  readonly error: number;
  readonly agrees: boolean;
}

type Values = ArrayLike<number>;

/**
 * Compares the results of two libraries. NaN agrees with NaN only, infinity with the same infinity only; another number of values
 * never agrees (error Infinity).
 */
export function compare(ours: Values, theirs: Values, tolerance: number): Agreement {
  const error = ours.length === theirs.length ? largestError(ours, theirs) : Infinity;
  return { error, agrees: error <= tolerance };
}

function largestError(ours: Values, theirs: Values): number {
  const typical = rootMeanSquare(theirs);
  let largest = 0;
  for (let i = 0; i < ours.length; i++) {
    const [a, b] = [ours[i]!, theirs[i]!];
    if (Object.is(a, b) || a === b) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
    largest = Math.max(largest, Math.abs(a - b) / Math.max(Math.abs(b), typical));
  }
  return largest;
}

function rootMeanSquare(values: Values): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    sum += values[i]! ** 2;
    count++;
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}
