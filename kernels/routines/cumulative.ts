import { type CumulativeFn, reduceIdentity, type WordDType } from '../../src/graph/index.js';
import {
  add,
  type Elements,
  type IndexLike,
  indexFrom,
  max,
  min,
  mul,
  natural,
  number,
  type Program,
  plus,
  times,
} from './program.js';

const MEET = { sum: add, prod: mul, max, min };

/** Rounding errors of a sum grow with its length: sums of so many elements are added to what comes before as a whole. */
const BLOCK = 64;

/** A running reduction, element by element. */
export function cumulative(
  p: Program,
  fn: CumulativeFn,
  dtype: WordDType,
  n: number,
  { x, out }: Readonly<Record<'x' | 'out', Elements>>,
): void {
  const meet = MEET[fn];
  const identity = number(reduceIdentity(fn, dtype), dtype);
  const run = (from: IndexLike, to: IndexLike, before: (running: ReturnType<typeof meet>) => typeof running) => {
    const running = p.let('running', identity);
    p.serial(from, to, (i) => {
      p.assign(running, meet(running, x.at(i)));
      out.set(i, before(running));
    });
    return running;
  };
  if (fn !== 'sum' || dtype !== 'f32' || n <= BLOCK) {
    run(0, n, (running) => running);
    return;
  }
  const total = p.let('total', identity);
  p.serial(0, Math.ceil(n / BLOCK), (block) => {
    const first = times(block, BLOCK);
    const end =
      n % BLOCK === 0 ? plus(first, BLOCK) : indexFrom(p.let('end', min(natural(plus(first, BLOCK)), natural(n))));
    const sum = run(first, end, (running) => add(total, running));
    p.assign(total, add(total, sum));
  });
}
