import type { ScatterFn } from '../../src/graph/index.js';
import {
  add,
  type Elements,
  type IndexLike,
  indexFrom,
  lt,
  max,
  min,
  minus,
  natural,
  type Program,
  plus,
  times,
} from './program.js';

export interface ScatterSizes {
  readonly places: number;
  readonly updates: number;
  /** The places that one program writes: those from `first` on, this many at most. */
  readonly first: IndexLike;
  readonly ofRange: number;
}

/** Indices that are read together: a GPU would wait for each. */
const AT_ONCE = 8;

const MEET = { add, max, min };

/** Copies its places, then goes through all updates in their order and applies those that are its own. */
export function scatter(
  p: Program,
  how: ScatterFn,
  { places, updates: count, first, ofRange }: ScatterSizes,
  { x, index, updates, out }: Readonly<Record<'x' | 'index' | 'updates' | 'out', Elements>>,
): void {
  const whole = ofRange >= places;
  const length = p.let('length', whole ? natural(places) : min(natural(ofRange), natural(minus(places, first))));
  p.independent(0, whole ? places : indexFrom(length), (i) => out.set(plus(first, i), x.at(plus(first, i))));
  const apply = (some: readonly IndexLike[]): void => {
    const named = some.map((u) => p.let('place', index.at(u)));
    for (const [i, place] of named.entries()) {
      // Places out of range are in no program's: negative ones are large as u32.
      p.if(lt(natural(whole ? indexFrom(place) : minus(indexFrom(place), first)), length), () => {
        const value = updates.at(some[i]!);
        out.set(indexFrom(place), how === 'set' ? value : MEET[how](out.at(indexFrom(place)), value));
      });
    }
  };
  const blocks = Math.floor(count / AT_ONCE);
  p.serial(0, blocks, (block) => {
    apply([...Array(AT_ONCE).keys()].map((i) => plus(times(block, AT_ONCE), i)));
  });
  p.serial(blocks * AT_ONCE, count, (u) => apply([u]));
}
