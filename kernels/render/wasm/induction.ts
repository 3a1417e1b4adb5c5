import { type Block, i32, Local, op, type Value } from './encoder.js';

/** The counter of a loop, and multiples of it that grow along instead of being multiplied in every round. */
export class InductionVar {
  readonly local: Local;
  readonly #multiples = new Map<number, Local>();
  readonly #start: Value;

  /** @param outside block that the loop will stand in */
  constructor(
    private readonly outside: Block,
    from: Value,
    private readonly step: number,
  ) {
    this.#start = from instanceof Local ? outside.let(from) : from;
    this.local = outside.let(this.#start);
  }

  /** The counter times a number. */
  times(factor: number): Value {
    if (factor === 1) return this.local;
    let multiple = this.#multiples.get(factor);
    if (!multiple) {
      multiple = this.outside.let(op('i32.mul', this.#start, i32(factor)));
      this.#multiples.set(factor, multiple);
    }
    return multiple;
  }

  /** Appends what happens at the end of each round. */
  advance(inside: Block): void {
    inside.increase(this.local, this.step);
    for (const [factor, multiple] of this.#multiples) inside.increase(multiple, this.step * factor);
  }
}
