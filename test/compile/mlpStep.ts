import { backward } from '../../src/autograd/index.js';
import type { GraphToPlan } from '../../src/compile/plan/build.js';
import {
  binary,
  broadcastScalar,
  broadcastTo,
  constant,
  dot,
  full,
  iota,
  type LeafSource,
  leaf,
  type Node,
  permute,
  reduce,
  reluNode,
  reshape,
  type ScalarSource,
  scalarNode,
  stopGradient,
  unary,
  where,
} from '../../src/graph/index.js';

const add = (a: Node, b: Node): Node => binary('add', a, broadcastTo(b, a.shape));
const mul = (a: Node, b: Node): Node => binary('mul', a, broadcastTo(b, a.shape));
const sub = (a: Node, b: Node): Node => binary('sub', a, broadcastTo(b, a.shape));
const div = (a: Node, b: Node): Node => binary('div', a, broadcastTo(b, a.shape));

/** A training step of an MLP with Adam, written on raw nodes: sizes[0] inputs … sizes.at(-1) classes. */
export function mlpStep(batch: number, sizes: readonly number[]): GraphToPlan & { loss: Node } {
  const inputs: LeafSource[] = [];
  const donated: boolean[] = [];
  const scalars: ScalarSource[] = [];
  const input = (shape: number[], donate: boolean, grad = false, dtype: 'f32' | 'i32' = 'f32'): Node => {
    const source: LeafSource = { shape, dtype };
    inputs.push(source);
    donated.push(donate);
    return leaf(source, grad);
  };
  const scalar = (value: number): Node => {
    const source: ScalarSource = { dtype: 'f32', value };
    scalars.push(source);
    return scalarNode(source);
  };
  const x = input([batch, sizes[0]!], false);
  const labels = input([batch], false, false, 'i32');
  const params: Node[] = [];
  let h = x;
  for (let l = 0; l + 1 < sizes.length; l++) {
    const w = input([sizes[l + 1]!, sizes[l]!], true, true);
    const b = input([sizes[l + 1]!], true, true);
    params.push(w, b);
    const z = add(dot(h, permute(w, [1, 0])), b);
    h = l + 2 < sizes.length ? reluNode(z) : z;
  }
  const classes = sizes.at(-1)!;
  const shifted = sub(h, stopGradient(reduce('max', h, [1])));
  const logp = sub(shifted, unary('log', reduce('sum', unary('exp', shifted), [1])));
  const hit = binary('eq', iota([batch, classes], 1), broadcastTo(reshape(labels, [batch, 1]), [batch, classes]));
  const row = reduce('sum', where(hit, logp, full([batch, classes], 0, 'f32')), [1]);
  const total = reshape(reduce('sum', reshape(row, [batch]), [0]), []);
  const loss = binary('mul', unary('neg', total), constant(1 / batch, 'f32'));
  const grads = backward([loss], [constant(1, 'f32')], params);
  const roots: Node[] = [loss];
  const lr = scalar(1e-3);
  const c1 = scalar(0.1);
  const c2 = scalar(0.001);
  params.forEach((p, i) => {
    const g = grads[i]!;
    const m = input([...p.shape], true);
    const v = input([...p.shape], true);
    const at = (s: Node): Node => broadcastScalar(s, p.shape);
    const c = (value: number): Node => full(p.shape, value, 'f32');
    const m1 = add(mul(m, c(0.9)), mul(g, c(0.1)));
    const v1 = add(mul(v, c(0.999)), mul(mul(g, g), c(0.001)));
    const p1 = sub(p, mul(div(div(m1, at(c1)), add(unary('sqrt', div(v1, at(c2))), c(1e-8))), at(lr)));
    roots.push(p1, m1, v1);
  });
  return { roots, inputs, donated, scalars, loss };
}
