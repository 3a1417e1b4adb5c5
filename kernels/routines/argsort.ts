import type { WordDType } from '../../src/graph/index.js';
import {
  add,
  bitsOf,
  castTo,
  type Elements,
  type Expr,
  eq,
  indexFrom,
  isnan,
  lt,
  modulo,
  natural,
  number,
  or,
  type Program,
  plus,
  quotient,
  where,
  xor,
} from './program.js';
import { digitsOf, RADIX } from './sizes.js';

const word = (value: number): Expr => number(value, 'u32');
const SIGN = 0x80000000;

/** A u32 that counts up with a value: NaN is the largest, and the two zeros are equal. */
function keyOf(x: Expr, descending: boolean): Expr {
  const ascending = (): Expr => {
    switch (x.dtype) {
      case 'f32': {
        const bits = bitsOf(x);
        const key = where(lt(bits, word(SIGN)), or(bits, word(SIGN)), xor(bits, word(0xffffffff)));
        return where(isnan(x), word(0xffffffff), where(eq(x, number(0)), word(SIGN), key));
      }
      case 'i32':
        return xor(castTo('u32', x), word(SIGN));
      default:
        return castTo('u32', x);
    }
  };
  if (!descending) return ascending();
  return xor(ascending(), word(x.dtype === 'bool' ? 1 : 0xffffffff));
}

interface Lines {
  readonly x: Elements;
  /** Of i32. */
  readonly out: Elements;
  /** u32: the keys, positions in an order on the way, and RADIX counters for each digit. */
  readonly keys: Elements;
  readonly order: Elements;
  readonly counts: Elements;
}

/** Positions in order, by one digit of the keys after another, the lowest first: each pass keeps the order of equal digits. */
export function argsort(p: Program, dtype: WordDType, descending: boolean, n: number, lines: Lines): void {
  const { x, out, keys, order, counts } = lines;
  const digits = [...Array(digitsOf(dtype)).keys()];
  const counter = (key: Expr, digit: number) =>
    plus(modulo(quotient(indexFrom(key), RADIX ** digit), RADIX), digit * RADIX);
  p.independent(0, digits.length * RADIX, (i) => counts.set(i, word(0)));
  p.serial(0, n, (i) => {
    const value = p.let('value', x.at(i));
    const key = p.let('key', keyOf(value, descending));
    keys.set(i, key);
    for (const digit of digits) {
      const at = counter(key, digit);
      counts.set(at, add(counts.at(at), word(1)));
    }
  });
  // Where the elements with a digit begin.
  const starts = digits.map((digit) => p.let(`start${digit}_`, word(0)));
  p.serial(0, RADIX, (i) => {
    for (const digit of digits) {
      const at = plus(i, digit * RADIX);
      const count = p.let('count', counts.at(at));
      counts.set(at, starts[digit]!);
      p.assign(starts[digit]!, add(starts[digit]!, count));
    }
  });
  for (const digit of digits) {
    // Turn about, the last one into the result.
    const last = (digits.length - digit) % 2 === 1;
    p.serial(0, n, (i) => {
      const from = digit === 0 ? natural(i) : castTo('u32', (last ? order : out).at(i));
      const position = p.let('position', from);
      const key = p.let('key', keys.at(indexFrom(position)));
      const at = counter(key, digit);
      const place = p.let('place', counts.at(at));
      counts.set(at, add(place, word(1)));
      if (last) out.set(indexFrom(place), castTo('i32', position));
      else order.set(indexFrom(place), position);
    });
  }
}
