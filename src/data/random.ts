/**
 * Seeded random numbers on the host, for data pipelines: shuffling, augmentation (xoshiro128**). Tensors draw theirs from
 * `manualSeed` instead.
 */
export class SeededRandom {
  private readonly state = new Uint32Array(4);

  /** Integers; each changes the whole sequence. */
  constructor(...seed: readonly number[]) {
    let mix = 0x9e3779b9;
    // Both halves, because a seed may be longer than 32 bits.
    for (const part of seed.flatMap((s) => [s, Math.floor(s / 2 ** 32)])) mix = scramble((mix ^ part) >>> 0);
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      this.state[i] = scramble(mix);
    }
    // All zeros is the one state it cannot leave.
    if (this.state.every((word) => word === 0)) this.state[0] = 1;
  }

  /** A 32-bit word. */
  nextWord(): number {
    const s = this.state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * (this.nextWord() / 2 ** 32);
  }

  /** A uniform integer in 0..bound-1, without the bias of a plain remainder. */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.nextWord();
      if (word < limit) return word % bound;
    }
  }
}

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

function scramble(x: number): number {
  let z = x;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}
