import { threefry2x32 } from '../engine/reference/threefry.js';
import { ArgumentError, type Node, randomBits, type ScalarSource, type Shape, scalarNode } from '../graph/index.js';
import { activeTrace, bitsNode, hostSeed } from '../tensor/internal.js';

/** Under a trace, at every run of what is traced; else now. */
function atRun(action: () => void): void {
  const trace = activeTrace();
  if (trace === null) action();
  else trace.beforeRun.push(action);
}

/**
 * A stream of random numbers of its own: Threefry-2x32 with a key of 64 bits. The numbers depend on the seed, on the draws made before from
 * this generator, and on nothing else. `split` makes generators whose streams are independent of each other and of this one.
 *
 *     const gen = new Generator(7);
 *     const [forNoise, forDropout] = gen.split();
 *     const noise = random.normal(0, 1, { shape: [3], generator: forNoise });
 *
 * Inside a compiled function a generator goes on at every call, as it would if the function ran.
 */
export class Generator {
  #key: readonly [number, number] = [0, 0];
  #draws = 0;
  #splits = 0;

  /** From an integer of 0 to 2^53 - 1, or from chance. Throws ArgumentError for another seed. */
  constructor(seed?: number) {
    if (seed === undefined)
      atRun(() => this.#restart([0, 0].map(() => Math.floor(Math.random() * 2 ** 32)) as [number, number]));
    else this.manualSeed(seed);
  }

  /** Starts over from a seed, an integer of 0 to 2^53 - 1. Throws ArgumentError for another one. */
  manualSeed(seed: number): this {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ArgumentError(`[Generator] seed is ${String(seed)} (expected an integer of 0 to 2^53 - 1)`);
    }
    atRun(() => this.#restart([seed >>> 0, Math.floor(seed / 2 ** 32)]));
    return this;
  }

  /** `count` generators with streams of their own (2); a later split gives other ones. Throws ArgumentError unless count is a whole number of at least 1. */
  split(count = 2): Generator[] {
    if (!Number.isInteger(count) || count < 1 || count > 2 ** 31) {
      throw new ArgumentError(`[Generator] count is ${String(count)} (expected an integer of at least 1)`);
    }
    const children = Array.from({ length: count }, () => new Generator(0));
    atRun(() => {
      // Draws have 0 in the second word of the counter.
      this.#splits++;
      children.forEach((child, i) => {
        child.#restart(threefry2x32(...this.#key, i, this.#splits));
      });
    });
    return children;
  }

  /** @internal u32 words of the next draw. */
  bits(shape: Shape): Node {
    const keys: readonly ScalarSource[] = [
      { dtype: 'u32', value: 0 },
      { dtype: 'u32', value: 0 },
    ];
    atRun(() => {
      this.#draws++;
      threefry2x32(...this.#key, this.#draws, 0).forEach((word, i) => {
        keys[i]!.value = word;
      });
    });
    return randomBits(scalarNode(keys[0]!), scalarNode(keys[1]!), shape);
  }

  /** @internal The key of the next draw, for work on the host: outside of traces only. */
  hostKey(): [number, number] {
    this.#draws++;
    return threefry2x32(...this.#key, this.#draws, 0);
  }

  #restart(key: readonly [number, number]): void {
    this.#key = key;
    this.#draws = 0;
    this.#splits = 0;
  }
}

/** The generator of an option, null for the one that `manualSeed` starts. */
function generatorOf(op: string, generator: Generator | null | undefined): Generator | null {
  if (generator === undefined || generator === null || generator instanceof Generator) return generator ?? null;
  throw new ArgumentError(`[${op}] generator is ${typeof generator} (expected a Generator)`);
}

/** u32 words of the next draw. */
export const bitsFrom = (op: string, generator: Generator | null | undefined, shape: Shape): Node =>
  generatorOf(op, generator)?.bits(shape) ?? bitsNode(shape);

/** The 32-bit words of the next draw one after the other, on the host: outside of traces only. */
export function hostWords(op: string, generator: Generator | null | undefined): () => number {
  const [key0, key1] = generatorOf(op, generator)?.hostKey() ?? hostSeed();
  let counter = 0;
  return () => threefry2x32(key0, key1, counter++, 0)[0];
}
