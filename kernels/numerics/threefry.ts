/** Threefry2x32 with 20 rounds (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3"). */
import { add, define, type Num, or, shl, shr, u32, xor } from './body.js';

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const rotate = (x: Num, by: number): Num => or(shl(x, by), shr(x, 32 - by));

/** First word of the block for the key (key0, key1) and the counter (counter, 0). */
export const threefry = define('threefry', ['u32', 'u32', 'u32'], (key0, key1, counter) => {
  const keys = [key0, key1, xor(xor(key0, key1), u32(0x1bd11bda))];
  let x0 = add(counter, key0);
  let x1 = key1;
  for (let group = 0; group < 5; group++) {
    for (const by of ROTATIONS[group % 2]!) {
      x0 = add(x0, x1);
      x1 = xor(rotate(x1, by), x0);
    }
    x0 = add(x0, keys[(group + 1) % 3]!);
    x1 = add(add(x1, keys[(group + 2) % 3]!), u32(group + 1));
  }
  return x0;
});
