import { isPrim, type Node, sizeOf } from '../../src/graph/index.js';
import type { Cond, Expr, IndexVar } from '../ir.js';
import type { Evaluator } from './evaluate.js';
import {
  atLeast,
  isZero,
  type Lin,
  lessThan,
  linAdd,
  linAddConst,
  linDiv,
  linMod,
  linMul,
  linVar,
  unflatten,
} from './lin.js';

/** A contraction as extents, operand expressions and the output's indices. */
export interface Operands {
  readonly batch: IndexVar;
  readonly m: IndexVar;
  readonly n: IndexVar;
  readonly k: IndexVar;
  readonly a: Expr;
  readonly b: Expr;
  readonly output: readonly Lin[];
}

export function operands(anchor: Node<'dot' | 'conv'>, e: Evaluator): Operands {
  return isPrim(anchor as Node, 'conv')
    ? convOperands(anchor as Node<'conv'>, e)
    : dotOperands(anchor as Node<'dot'>, e);
}

function dotOperands(node: Node<'dot'>, e: Evaluator): Operands {
  const [x, y] = node.inputs as [Node, Node];
  const r = node.shape.length;
  const lead = node.shape.slice(0, r - 2);
  const batch: IndexVar = { name: 'batch', extent: sizeOf(lead) };
  const m: IndexVar = { name: 'm', extent: node.shape[r - 2]! };
  const n: IndexVar = { name: 'n', extent: node.shape[r - 1]! };
  const k: IndexVar = { name: 'k', extent: x.shape[r - 1]! };
  const at = unflatten(linVar(batch), lead);
  return {
    batch,
    m,
    n,
    k,
    a: e.at(x, [...at, linVar(m), linVar(k)]),
    b: e.at(y, [...at, linVar(k), linVar(n)]),
    output: [...at, linVar(m), linVar(n)],
  };
}

/** Below this many output positions an image, the images of a batch share one matrix. */
const SMALL_IMAGE = 64;

/**
 * Convolution as implicit GEMM: m runs over the output channels of a group, k over (input channel, kernel position), n over the
 * output positions, so that neighbouring columns are neighbours in memory. Small images put the whole batch into n.
 */
function convOperands(node: Node<'conv'>, e: Evaluator): Operands {
  const [x, w] = node.inputs as [Node, Node];
  const { stride, padLow, inputDilation, kernelDilation, groups } = node.attrs;
  const images = node.shape[0]!;
  const out = node.shape.slice(2);
  const kernel = w.shape.slice(2);
  const perGroup = w.shape[0]! / groups;
  const channels = w.shape[1]!;
  const merge = sizeOf(out) < SMALL_IMAGE;
  const batch: IndexVar = { name: 'batch', extent: merge ? groups : images * groups };
  const m: IndexVar = { name: 'm', extent: perGroup };
  const n: IndexVar = { name: 'n', extent: merge ? images * sizeOf(out) : sizeOf(out) };
  const k: IndexVar = { name: 'k', extent: channels * sizeOf(kernel) };
  const [outer, group] = merge ? [null, linVar(batch)] : unflatten(linVar(batch), [images, groups]);
  const position = merge ? unflatten(linVar(n), [images, ...out]) : [outer!, ...unflatten(linVar(n), out)];
  const [image, ...place] = position as [Lin, ...Lin[]];
  const [channel, ...tap] = unflatten(linVar(k), [channels, ...kernel]) as [Lin, ...Lin[]];
  const outChannel = linAdd(linMul(group!, perGroup), linVar(m));
  const conds: (Cond | boolean)[] = [];
  const spatial = place.map((p, i) => {
    const raw = linAdd(linMul(p, stride[i]!), linMul(tap[i]!, kernelDilation[i]!));
    const shifted = linAddConst(raw, -padLow[i]!);
    const step = inputDilation[i]!;
    if (step === 1) {
      conds.push(lessThan(shifted, x.shape[i + 2]!));
      return shifted;
    }
    conds.push(atLeast(raw, padLow[i]!), isZero(linMod(shifted, step)));
    const at = linDiv(shifted, step);
    conds.push(lessThan(at, x.shape[i + 2]!));
    return at;
  });
  const inChannel = linAdd(linMul(group!, channels), channel);
  const open = conds.filter((c): c is Cond => typeof c !== 'boolean');
  const value = conds.includes(false) ? null : e.at(x, [image, inChannel, ...spatial]);
  return {
    batch,
    m,
    n,
    k,
    a: e.at(w, [outChannel, channel, ...tap]),
    b:
      value === null
        ? { kind: 'const', dtype: 'f32', value: 0 }
        : open.length === 0
          ? value
          : { kind: 'guard', dtype: 'f32', conds: open, value, otherwise: 0 },
    output: [image, outChannel, ...place],
  };
}
