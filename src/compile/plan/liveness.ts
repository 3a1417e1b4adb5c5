import type { PlanOutline } from '../../engine/plan.js';
import { type Interval, liveLowerBound } from './arena.js';

/** What the intermediates of a plan take, and the least that any placement of them takes in the plan's order. */
export function arenaUse({ kernels, buffers, arenaBytes }: PlanOutline): { bytes: number; lowerBound: number } {
  const spans = new Map<number, Interval>();
  kernels.forEach(({ bindings }, at) => {
    for (const b of bindings) {
      const { bytes, place } = buffers[b]!;
      if (place.kind === 'arena') spans.set(b, { bytes, first: spans.get(b)?.first ?? at, last: at });
    }
  });
  return { bytes: arenaBytes, lowerBound: liveLowerBound([...spans.values()]) };
}
