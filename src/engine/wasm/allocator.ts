import { InternalError } from '../../graph/index.js';

/** What addresses and sizes are multiples of: a cache line. */
export const ALIGNMENT = 64;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** A range of the heap. Its neighbours in memory are linked; so are the free ranges of one bin. */
export interface Range {
  readonly address: number;
  readonly size: number;
}

interface Node extends Range {
  address: number;
  size: number;
  free: boolean;
  before: Node | null;
  after: Node | null;
  previousFree: Node | null;
  nextFree: Node | null;
}

const nodeOf = (address: number, size: number, before: Node | null, after: Node | null): Node => ({
  address,
  size,
  before,
  after,
  free: false,
  previousFree: null,
  nextFree: null,
});

/** Bins per power of two. */
const STEPS = 8;

/** The bin of a free range of this many units: all ranges of a higher bin are larger. */
function binOf(units: number): number {
  if (units < STEPS) return units;
  const exponent = 31 - Math.clz32(units);
  return (exponent - 2) * STEPS + ((units >>> (exponent - 3)) - STEPS);
}

/** The lowest bin of which every range holds this many units. */
function binThatFits(units: number): number {
  if (units < STEPS) return units;
  const exponent = 31 - Math.clz32(units);
  return binOf(units + (1 << (exponent - 3)) - 1);
}

/**
 * Hands out ranges of an address space that grows at its end: two-level bins of free ranges, which merge with free neighbours. Both
 * ways take constant time, and what was freed last is handed out first.
 */
export class Allocator {
  readonly #bins: (Node | null)[] = [];
  #last: Node | null = null;
  #end: number;
  #free = 0;

  constructor(start: number) {
    this.#end = start;
  }

  get end(): number {
    return this.#end;
  }

  get freeBytes(): number {
    return this.#free;
  }

  /** Bytes that `grow` has to add before `allocate(bytes)` succeeds for sure. */
  missing(bytes: number): number {
    return aligned(bytes) - (this.#last?.free ? this.#last.size : 0);
  }

  /** Adds bytes at the end, a multiple of the alignment. */
  grow(bytes: number): void {
    const address = this.#end;
    this.#end += bytes;
    const node = nodeOf(address, bytes, this.#last, null);
    if (this.#last) this.#last.after = node;
    this.#last = node;
    this.free(node);
  }

  /** A range of `bytes` (> 0), rounded up to the alignment; null where none is free. */
  allocate(bytes: number): Range | null {
    const size = aligned(bytes);
    const node = this.#find(size);
    if (!node) return null;
    this.#unlink(node);
    if (node.size > size) this.#split(node, size);
    node.free = false;
    return node;
  }

  free(range: Range): void {
    let node = range as Node;
    if (node.free) throw new InternalError('[wasm] a range of memory was freed twice');
    const { before, after } = node;
    if (before?.free) {
      this.#unlink(before);
      node = this.#merge(before, node);
    }
    if (after?.free) {
      this.#unlink(after);
      node = this.#merge(node, after);
    }
    this.#link(node);
  }

  #find(size: number): Node | null {
    const units = size / ALIGNMENT;
    const own = this.#bins[binOf(units)] ?? null;
    // What was freed last and fits, which in a loop is what was freed in the turn before.
    if (own && own.size >= size) return own;
    for (let bin = binThatFits(units); bin < this.#bins.length; bin++) {
      const node = this.#bins[bin];
      if (node) return node;
    }
    for (let node = own; node; node = node.nextFree) {
      if (node.size >= size) return node;
    }
    return null;
  }

  #split(node: Node, size: number): void {
    const rest = nodeOf(node.address + size, node.size - size, node, node.after);
    if (node.after) node.after.before = rest;
    else this.#last = rest;
    node.after = rest;
    node.size = size;
    this.#link(rest);
  }

  #merge(first: Node, second: Node): Node {
    first.size += second.size;
    first.after = second.after;
    if (second.after) second.after.before = first;
    else this.#last = first;
    // A stale handle on the second must not free the merged range.
    second.free = true;
    first.free = false;
    return first;
  }

  #link(node: Node): void {
    const bin = binOf(node.size / ALIGNMENT);
    while (this.#bins.length <= bin) this.#bins.push(null);
    const next = this.#bins[bin] ?? null;
    node.free = true;
    node.previousFree = null;
    node.nextFree = next;
    if (next) next.previousFree = node;
    this.#bins[bin] = node;
    this.#free += node.size;
  }

  #unlink(node: Node): void {
    const { previousFree, nextFree } = node;
    if (nextFree) nextFree.previousFree = previousFree;
    if (previousFree) previousFree.nextFree = nextFree;
    else this.#bins[binOf(node.size / ALIGNMENT)] = nextFree;
    node.previousFree = node.nextFree = null;
    this.#free -= node.size;
  }
}
