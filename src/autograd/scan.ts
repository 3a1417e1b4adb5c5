import { MEET, shifted } from '../graph/composedScan.js';
import { binary, where } from '../graph/elementwise.js';
import { flip, pad, slice } from '../graph/movement.js';
import type { CumulativeFn, Node } from '../graph/node.js';
import { reduceIdentity } from '../graph/reduce.js';
import { cumulative } from '../graph/scan.js';
import { add, like, mul } from './arithmetic.js';
import type { VjpRules } from './rule.js';

/** The elements `by` places later along an axis, 0 where there are none: the transpose of `shifted`. */
function shiftedBack(g: Node, axis: number, by: number): Node {
  const n = g.shape[axis]!;
  if (by >= n) return like(g, 0);
  const kept = slice(
    g,
    g.shape.map((_, i) => (i === axis ? by : 0)),
    g.shape.map((d, i) => (i === axis ? d - by : d)),
  );
  return pad(kept, { low: g.shape.map(() => 0), high: g.shape.map((_, i) => (i === axis ? by : 0)) });
}

/** The log2(n) steps of the composed form: what each adds what lies `by` places earlier to. */
export function stepsOf(node: Node<'cumulative'>): { before: Node; earlier: Node; by: number }[] {
  const { fn, axis } = node.attrs;
  const x = node.inputs[0]!;
  const identity = reduceIdentity(fn, x.dtype);
  const steps: { before: Node; earlier: Node; by: number }[] = [];
  let y = x;
  for (let by = 1; by < x.shape[axis]!; by *= 2) {
    const earlier = shifted(y, axis, by, identity);
    steps.push({ before: y, earlier, by });
    y = MEET[fn](y, earlier);
  }
  return steps;
}

/** Where a step of a running maximum or minimum takes the earlier element. */
export const takesEarlier = (fn: CumulativeFn, before: Node, earlier: Node): Node =>
  fn === 'max' ? binary('lt', before, earlier) : binary('lt', earlier, before);

/**
 * Back through the log2(n) steps of the composed form. That is right where factors are zero, which dividing the output by the
 * input is not. Of equal extremes the later one has the gradient, as PyTorch's cummax.
 */
function throughSteps(node: Node<'cumulative'>, g: Node): Node {
  const { fn, axis } = node.attrs;
  let gradient = g;
  for (const { before, earlier, by } of stepsOf(node).reverse()) {
    if (fn === 'prod') {
      gradient = add(mul(gradient, earlier), shiftedBack(mul(gradient, before), axis, by));
    } else {
      const taken = takesEarlier(fn, before, earlier);
      const zero = like(gradient, 0);
      gradient = add(where(taken, zero, gradient), shiftedBack(where(taken, gradient, zero), axis, by));
    }
  }
  return gradient;
}

export const scanRules: Pick<VjpRules, 'cumulative' | 'argsort' | 'routine'> = {
  cumulative: (node, g) => {
    const { fn, axis } = node.attrs;
    if (fn !== 'sum') return [throughSteps(node, g)];
    return [flip(cumulative('sum', flip(g, [axis]), axis), [axis])];
  },
  argsort: () => [null],
  routine: (node) => node.inputs.map(() => null),
};
