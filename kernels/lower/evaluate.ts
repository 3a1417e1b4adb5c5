import {
  InternalError,
  isFloat,
  isPacked,
  type Node,
  type Prim,
  packingOf,
  sizeOf,
  type WordDType,
  wideDType,
} from '../../src/graph/index.js';
import type { Cond, Expr } from '../ir.js';
import { FusionMismatch } from './group.js';
import {
  atLeast,
  flatten,
  isZero,
  type Lin,
  lessThan,
  linAdd,
  linAddConst,
  linConst,
  linDiv,
  linMod,
  linMul,
  linValue,
  toIndex,
  unflatten,
  ZERO,
} from './lin.js';
import { castTo, unpacked } from './packed.js';

/** Expressions of one kernel beyond this number mean that inlining multiplied work: something has to be stored. */
const MAX_EXPRESSIONS = 4000;

/** Where the values of a kernel come from. */
export interface Sources {
  /** Number of the kernel's buffer that holds a node's value, or null when the node is computed inside. */
  bufferOf(node: Node): number | null;
  /** Slot of a runtime scalar. */
  paramOf(node: Node<'scalar'>): number;
  /** The result of a reduction or contraction inside the kernel at these indices; null for any other node. */
  resultOf(node: Node, indices: readonly Lin[]): Expr | null;
}

/**
 * Computes nodes at index vectors as scalar expressions: movement rewrites the indices, elementwise nodes become operations,
 * stored nodes become loads. Equal (node, indices) share one expression.
 */
export class Evaluator {
  private readonly memo = new Map<string, Expr>();
  private readonly words = new Map<string, Expr>();
  private count = 0;

  constructor(private readonly sources: Sources) {}

  at(node: Node, indices: readonly Lin[]): Expr {
    let key = `${node.id}`;
    for (const i of indices) key += `;${i.key}`;
    let expr = this.memo.get(key);
    if (expr === undefined) {
      if (++this.count > MAX_EXPRESSIONS) throw new FusionMismatch(node, 'the kernel grows too large');
      expr = this.compute(node, indices);
      this.memo.set(key, expr);
    }
    return expr;
  }

  /** Stored value at a flat position. */
  private load(buffer: number, node: Node, indices: readonly Lin[]): Expr {
    const position = flatten(indices, node.shape);
    const { dtype } = node;
    if (isPacked(dtype)) {
      const per = packingOf(dtype);
      const word = this.loadWord(buffer, linDiv(position, per), Math.ceil(sizeOf(node.shape) / per), position.min < 0);
      return unpacked(word, dtype, linMul(linMod(position, per), 32 / per));
    }
    const clamp = position.min < 0 || position.max >= sizeOf(node.shape);
    return { kind: 'load', dtype, buffer, index: toIndex(position), clamp };
  }

  /** A word of several elements, which share the load. */
  private loadWord(buffer: number, at: Lin, words: number, below: boolean): Expr {
    const key = `${buffer}:${at.key}`;
    let word = this.words.get(key);
    if (word === undefined) {
      const clamp = below || at.min < 0 || at.max >= words;
      word = { kind: 'load', dtype: 'u32', buffer, index: toIndex(at), clamp };
      this.words.set(key, word);
    }
    return word;
  }

  private compute(node: Node, indices: readonly Lin[]): Expr {
    const result = this.sources.resultOf(node, indices);
    if (result !== null) return result;
    const buffer = this.sources.bufferOf(node);
    if (buffer !== null) return this.load(buffer, node, indices);
    return (EVALUATE[node.prim] as Rule<Prim>)(this, node, indices, this.sources);
  }
}

type Rule<P extends Prim> = (e: Evaluator, node: Node<P>, indices: readonly Lin[], sources: Sources) => Expr;

const notInside: Rule<Prim> = (_, node) => {
  throw new FusionMismatch(node, `${node.prim} is used at other indices than its kernel's`);
};

/** `value` where all conditions hold, else a constant. */
function guarded(conds: readonly (Cond | boolean)[], otherwise: number, dtype: WordDType, value: () => Expr): Expr {
  const fill: Expr = { kind: 'const', dtype, value: otherwise };
  if (conds.includes(false)) return fill;
  const open = conds.filter((c): c is Cond => c !== true && c !== false);
  return open.length === 0 ? value() : { kind: 'guard', dtype, conds: open, value: value(), otherwise };
}

const replaceAt = (indices: readonly Lin[], axis: number, value: Lin): Lin[] =>
  indices.map((v, i) => (i === axis ? value : v));

/** How each primitive is computed at an index vector, unless it is stored or a result. */
const EVALUATE: { readonly [P in Prim]: Rule<P> } = {
  leaf: (_, node) => {
    throw new InternalError(`[lower] leaf ${node.id} has no buffer`);
  },
  const: (_, node) => ({ kind: 'const', dtype: wideDType(node.dtype), value: node.attrs.value }),
  scalar: (_, node, __, sources) => ({
    kind: 'param',
    dtype: wideDType(node.dtype),
    slot: sources.paramOf(node),
  }),
  iota: (_, node, indices) => ({ kind: 'index', dtype: 'i32', index: toIndex(indices[node.attrs.axis]!) }),
  randomBits: (e, node, indices) => ({
    kind: 'threefry',
    dtype: 'u32',
    key0: e.at(node.inputs[0]!, []),
    key1: e.at(node.inputs[1]!, []),
    counter: toIndex(flatten(indices, node.shape)),
  }),
  unary: (e, node, i) => ({
    kind: 'unary',
    dtype: wideDType(node.dtype),
    fn: node.attrs.fn,
    x: e.at(node.inputs[0]!, i),
  }),
  binary: (e, node, i) => ({
    kind: 'binary',
    dtype: wideDType(node.dtype),
    fn: node.attrs.fn,
    a: e.at(node.inputs[0]!, i),
    b: e.at(node.inputs[1]!, i),
  }),
  where: (e, node, i) => ({
    kind: 'where',
    dtype: wideDType(node.dtype),
    cond: e.at(node.inputs[0]!, i),
    a: e.at(node.inputs[1]!, i),
    b: e.at(node.inputs[2]!, i),
  }),
  cast: (e, node, i) => castTo(node.dtype, e.at(node.inputs[0]!, i)),
  reshape: (e, node, indices) => {
    const x = node.inputs[0]!;
    return e.at(x, unflatten(flatten(indices, node.shape), x.shape));
  },
  permute: (e, node, indices) => {
    const inner = new Array<Lin>(indices.length);
    node.attrs.order.forEach((axis, i) => {
      inner[axis] = indices[i]!;
    });
    return e.at(node.inputs[0]!, inner);
  },
  expand: (e, node, indices) => {
    const x = node.inputs[0]!;
    return e.at(
      x,
      indices.map((v, i) => (x.shape[i] === 1 ? ZERO : v)),
    );
  },
  slice: (e, node, indices) =>
    e.at(
      node.inputs[0]!,
      indices.map((v, i) => linAddConst(linMul(v, node.attrs.step[i]!), node.attrs.start[i]!)),
    ),
  pad: (e, node, indices) => {
    const x = node.inputs[0]!;
    const { low, interior, value } = node.attrs;
    const conds: (Cond | boolean)[] = [];
    const inner = indices.map((v, i) => {
      const shifted = linAddConst(v, -low[i]!);
      const step = interior[i]! + 1;
      if (step === 1) {
        conds.push(lessThan(shifted, x.shape[i]!));
        return shifted;
      }
      conds.push(atLeast(v, low[i]!), isZero(linMod(shifted, step)));
      const at = linDiv(shifted, step);
      conds.push(lessThan(at, x.shape[i]!));
      return at;
    });
    return guarded(conds, value, wideDType(node.dtype), () => e.at(x, inner));
  },
  flip: (e, node, indices) =>
    e.at(
      node.inputs[0]!,
      indices.map((v, i) => (node.attrs.axes.includes(i) ? linAddConst(linMul(v, -1), node.shape[i]! - 1) : v)),
    ),
  concat: (e, node, indices) => {
    const { axis } = node.attrs;
    const at = indices[axis]!;
    const ends: number[] = [];
    let end = 0;
    for (const part of node.inputs) ends.push((end += part.shape[axis]!));
    let out: Expr | null = null;
    for (let p = node.inputs.length - 1; p >= 0; p--) {
      const part = node.inputs[p]!;
      if (sizeOf(part.shape) === 0) continue;
      const begin = ends[p]! - part.shape[axis]!;
      const inside = lessThan(at, ends[p]!);
      if (inside === false) continue;
      const value = e.at(part, replaceAt(indices, axis, linAddConst(at, -begin)));
      out =
        out === null || inside === true
          ? value
          : { kind: 'choose', dtype: wideDType(node.dtype), conds: [inside], a: value, b: out };
    }
    return out ?? { kind: 'const', dtype: wideDType(node.dtype), value: 0 };
  },
  window: (e, node, indices) => {
    const { axes, stride, dilation } = node.attrs;
    const rank = node.inputs[0]!.shape.length;
    const inner = indices.slice(0, rank);
    axes.forEach((axis, i) => {
      inner[axis] = linAdd(linMul(indices[axis]!, stride[i]!), linMul(indices[rank + i]!, dilation[i]!));
    });
    return e.at(node.inputs[0]!, inner);
  },
  gather: (e, node, indices) => {
    const [x, index] = node.inputs as [Node, Node];
    const { axis } = node.attrs;
    const value = e.at(index, indices);
    const at = value.kind === 'const' ? linConst(value.value >>> 0) : linValue(value);
    const fill = isFloat(node.dtype) ? Number.NaN : 0;
    return guarded([lessThan(at, x.shape[axis]!)], fill, wideDType(node.dtype), () =>
      e.at(x, replaceAt(indices, axis, at)),
    );
  },
  // Decomposed before scheduling.
  scatter: notInside,
  cumulative: notInside,
  argsort: notInside,
  routine: notInside,
  reduce: notInside,
  dot: notInside,
  conv: notInside,
  alias: (e, node, i) => e.at(node.inputs[0]!, i),
  stopGradient: (e, node, i) => e.at(node.inputs[0]!, i),
  custom: (e, node, i) => e.at(node.inputs[0]!, i),
  barrier: (e, node, i) => e.at(node.inputs[0]!, i),
};
