/** A stored intermediate: its size, and the first and last launch that touch it. */
export interface Interval {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export const ALIGNMENT = 256;
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * Places intervals in one arena so that no two that live at the same time overlap: largest first, each at the tightest gap that
 * holds it. Returns the offsets, multiples of 256, and the arena's size.
 */
export function placeInArena(intervals: readonly Interval[]): { offsets: number[]; bytes: number } {
  const offsets = new Array<number>(intervals.length).fill(0);
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b]!.bytes - intervals[a]!.bytes || a - b);
  const placed: number[] = [];
  let total = 0;
  for (const i of order) {
    const it = intervals[i]!;
    const size = aligned(it.bytes);
    if (size === 0) continue;
    const alive = placed
      .filter((j) => intervals[j]!.first <= it.last && it.first <= intervals[j]!.last)
      .sort((a, b) => offsets[a]! - offsets[b]!);
    let best = -1;
    let bestGap = Number.POSITIVE_INFINITY;
    let at = 0;
    for (const j of alive) {
      const gap = offsets[j]! - at;
      if (gap >= size && gap < bestGap) {
        best = at;
        bestGap = gap;
      }
      at = Math.max(at, offsets[j]! + aligned(intervals[j]!.bytes));
    }
    offsets[i] = best >= 0 ? best : at;
    total = Math.max(total, offsets[i]! + size);
    placed.push(i);
  }
  return { offsets, bytes: total };
}

/** The least that any placement needs: the most bytes alive at one launch. */
export function liveLowerBound(intervals: readonly Interval[]): number {
  const change = new Map<number, number>();
  for (const { bytes, first, last } of intervals) {
    change.set(first, (change.get(first) ?? 0) + aligned(bytes));
    change.set(last + 1, (change.get(last + 1) ?? 0) - aligned(bytes));
  }
  let live = 0;
  let peak = 0;
  for (const at of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(at)!;
    peak = Math.max(peak, live);
  }
  return peak;
}
