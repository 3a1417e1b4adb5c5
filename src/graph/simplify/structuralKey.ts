import type { BinaryFn, LeafSource, Node, ScalarSource } from '../node.js';
import { isPrim } from '../node.js';

const COMMUTATIVE: ReadonlySet<BinaryFn> = new Set<BinaryFn>([
  'add',
  'mul',
  'max',
  'min',
  'eq',
  'ne',
  'and',
  'or',
  'xor',
]);

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join()}]`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/**
 * Keys that are equal exactly where two nodes compute the same value from the same inputs: the whole structure is in the text, so that
 * comparing texts is full equality. Sources are told apart by identity. Inputs are numbered by `numberOf`.
 */
export class StructuralKeys {
  private readonly sources = new Map<LeafSource | ScalarSource, number>();

  constructor(private readonly numberOf: (node: Node) => number) {}

  keyOf(node: Node): string {
    // A realised node and a leaf that read the same storage have the same value.
    if (node.realized !== null) return `leaf ${this.source(node.realized)}`;
    if (isPrim(node, 'leaf') || isPrim(node, 'scalar')) return `${node.prim} ${this.source(node.attrs.source)}`;
    const inputs = node.inputs.map(this.numberOf);
    if (isPrim(node, 'binary') && COMMUTATIVE.has(node.attrs.fn)) inputs.sort((a, b) => a - b);
    const attrs = node.attrs as Readonly<Record<string, unknown>>;
    const shown = Object.keys(attrs)
      .sort()
      .map((name) => `${name}=${show(attrs[name])}`);
    return `${node.prim} ${node.dtype} ${node.shape.join()} ${shown.join(' ')} (${inputs.join()})`;
  }

  private source(source: LeafSource | ScalarSource): number {
    const known = this.sources.get(source);
    if (known !== undefined) return known;
    this.sources.set(source, this.sources.size);
    return this.sources.size - 1;
  }
}
