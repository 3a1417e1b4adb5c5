import { expect } from 'vitest';
import { backward, Examples, pushForward } from '../../src/autograd/index.js';
import {
  binary,
  constant,
  type DType,
  leaf,
  type Node,
  reduce,
  reshape,
  type Shape,
  simplify,
  sizeOf,
  verifyGraph,
} from '../../src/graph/index.js';
import { evaluate64, type TestSource } from './evaluate64.js';

/** Deterministic numbers in (0, 1) (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function valuesLeaf(shape: Shape, values: number[], dtype: DType = 'f32', requiresGrad = false): Node<'leaf'> {
  const source: TestSource = { shape, dtype, values };
  return leaf(source, requiresGrad);
}

/** A leaf of `shape` with numbers in [low, high]. */
export function randomLeaf(next: () => number, shape: Shape, low: number, high: number): Node<'leaf'> {
  const values = Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next());
  return valuesLeaf(shape, values, 'f32', true);
}

/** Leaves of these shapes with numbers in [-1, 1] that all differ by more than a difference quotient's step: no ties that it would cross. */
export function distinctLeaves(next: () => number, shapes: readonly Shape[]): Node<'leaf'>[] {
  const total = shapes.reduce((n, shape) => n + sizeOf(shape), 0);
  const places = Array.from({ length: total }, (_, i) => i);
  for (let i = total - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [places[i], places[j]] = [places[j]!, places[i]!];
  }
  const values = places.map((at) => (2 * (at + 0.25 + next() / 2)) / total - 1);
  return shapes.map((shape) => valuesLeaf(shape, values.splice(0, sizeOf(shape)), 'f32', true));
}

const valuesOf = (node: Node<'leaf'>): number[] => (node.attrs.source as TestSource).values;

const sumAll = (x: Node): Node =>
  reshape(
    reduce(
      'sum',
      x,
      x.shape.map((_, i) => i),
    ),
    [],
  );

/** Weighted sum of all elements of some nodes, of shape []: one number to differentiate. */
function weighted(nodes: readonly Node[], weights: readonly Node[]): (values: number[][]) => number {
  return (values) =>
    nodes.reduce((sum, _, i) => {
      const w = valuesOf(weights[i] as Node<'leaf'>);
      return sum + values[i]!.reduce((s, v, j) => s + v * w[j]!, 0);
    }, 0);
}

const STEP = 1e-4;

/** Central differences of a function of the values of some leaves. */
function differences(of: () => number, inputs: readonly Node<'leaf'>[]): number[][] {
  return inputs.map((input) => {
    const values = valuesOf(input);
    return values.map((v, i) => {
      const at = (x: number): number => {
        values[i] = x;
        const result = of();
        values[i] = v;
        return result;
      };
      // Fourth order: exact to about STEP^4.
      return (8 * (at(v + STEP) - at(v - STEP)) - (at(v + 2 * STEP) - at(v - 2 * STEP))) / (12 * STEP);
    });
  });
}

// Differences are good to 1e-9 times the size of the derivatives; constants in the rules are rounded to f32 (6e-8).
const TOLERANCE = 1e-6;

function expectClose(actual: number[][], expected: number[][], what: string): void {
  expected.forEach((list, i) => {
    const size = Math.max(1, ...list.map(Math.abs));
    list.forEach((e, j) => {
      const a = actual[i]![j]!;
      expect(Math.abs(a - e) / size, `${what}: input ${i}, element ${j}: ${a} against ${e}`).toBeLessThan(TOLERANCE);
    });
    expect(actual[i]!.length).toBe(list.length);
  });
}

/**
 * Checks first and second derivatives of `build` at the values of `inputs` against central differences in float64, with random weights
 * on the outputs; also that simplifying the gradients keeps their values, that forward mode agrees (with differences, and with reverse mode, each
 * also through the other), that batching the function and its gradients gives what a loop over examples does, and that all graphs verify.
 */
export function checkGradient(build: (...inputs: Node[]) => Node, inputs: readonly Node<'leaf'>[], seed = 1): void {
  const next = randomNumbers(seed);
  const output = build(...inputs);
  const cotangent = valuesLeaf(
    output.shape,
    Array.from({ length: sizeOf(output.shape) }, () => next() + 0.5),
  );
  const gradients = gradientsOf([output], [cotangent], inputs);
  const firstOrder = evaluateChecked(gradients);
  const loss = weighted([output], [cotangent]);
  expectClose(
    firstOrder,
    differences(() => loss(evaluate64([output])), inputs),
    'first order',
  );

  const weights = inputs.map((input) =>
    valuesLeaf(
      input.shape,
      valuesOf(input).map(() => next() + 0.5),
    ),
  );
  const products = gradients.map((g, i) => sumAll(binary('mul', g, weights[i]!)));
  const total = products.reduce((a, b) => binary('add', a, b));
  const second = gradientsOf([total], [constant(1, 'f32')], inputs);
  const secondLoss = weighted(gradients, weights);
  expectClose(
    evaluateChecked(second),
    differences(() => secondLoss(evaluate64(gradients)), inputs),
    'second order',
  );
  checkForward(inputs, { output, cotangent, gradients, firstOrder }, next);
  for (const mapped of [inputs.map(() => true), inputs.map((_, i) => i === 0)].slice(0, inputs.length)) {
    checkBatched(build, inputs, mapped, next);
  }
}

interface Reverse {
  readonly output: Node;
  readonly cotangent: Node<'leaf'>;
  readonly gradients: readonly Node[];
  readonly firstOrder: readonly number[][];
}

function checkForward(inputs: readonly Node<'leaf'>[], reverse: Reverse, next: () => number): void {
  const { output, cotangent, gradients, firstOrder } = reverse;
  const tangents = inputs.map((input) =>
    valuesLeaf(
      input.shape,
      valuesOf(input).map(() => next() - 0.5),
    ),
  );
  const forward = (nodes: readonly Node[]): Node[] =>
    pushForward(nodes, inputs, tangents).map((t, i) => t ?? zeros(nodes[i]!));
  const tangent = forward([output])[0]!;
  const [along] = evaluateChecked([tangent]);
  expectClose([along!], directional([output], inputs, tangents), 'forward');

  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const total = inputs.reduce((sum, _, i) => sum + dot(firstOrder[i]!, valuesOf(tangents[i]!)), 0);
  expectClose([[dot(valuesOf(cotangent), along!)]], [[total]], 'forward against reverse');

  const overReverse = evaluateChecked(forward(gradients));
  expectClose(overReverse, directional(gradients, inputs, tangents), 'forward over reverse');
  expectClose(evaluateChecked(gradientsOf([tangent], [cotangent], inputs)), overReverse, 'reverse over forward');
}

/** Central differences of nodes when all inputs change in a direction. */
function directional(nodes: readonly Node[], inputs: readonly Node<'leaf'>[], by: readonly Node<'leaf'>[]): number[][] {
  const before = inputs.map((input) => [...valuesOf(input)]);
  const at = (step: number): number[][] => {
    inputs.forEach((input, i) => {
      before[i]!.forEach((v, j) => {
        valuesOf(input)[j] = v + step * valuesOf(by[i]!)[j]!;
      });
    });
    // Copied: the value of a node may be an input's own list.
    return evaluate64(nodes).map((list) => [...list]);
  };
  const [a, b, c, d] = [at(2 * STEP), at(STEP), at(-STEP), at(-2 * STEP)];
  at(0);
  return b.map((list, i) => list.map((v, j) => (8 * (v - c[i]![j]!) - (a[i]![j]! - d[i]![j]!)) / (12 * STEP)));
}

const EXAMPLES = 3;

/** Batches a function and its gradients over some of its inputs, and compares with one call for each example. */
function checkBatched(
  build: (...inputs: Node[]) => Node,
  inputs: readonly Node<'leaf'>[],
  mapped: readonly boolean[],
  next: () => number,
): void {
  const values = inputs.map((input) =>
    Array.from({ length: EXAMPLES }, () => valuesOf(input).map((v) => v * (1 + 0.1 * (next() - 0.5)))),
  );
  const both = (ones: readonly Node[]): Node[] => {
    const output = build(...ones);
    const cotangent = valuesLeaf(
      output.shape,
      Array.from({ length: sizeOf(output.shape) }, (_, i) => 1 + (i % 3)),
    );
    return [output, ...gradientsOf([output], [cotangent], ones)];
  };
  const examples = new Examples(EXAMPLES, constant(0, 'f32').id);
  const ones = inputs.map((input, i) => {
    if (!mapped[i]) return valuesLeaf(input.shape, values[i]![0]!, 'f32', true);
    const one = valuesLeaf(input.shape, [], 'f32', true);
    examples.put(one, valuesLeaf([EXAMPLES, ...input.shape], values[i]!.flat(), 'f32', true));
    return one;
  });
  const all = examples.lift(both(ones)).map((x) => examples.spread(x));
  verifyGraph(all);
  const batched = evaluate64(all);
  for (let e = 0; e < EXAMPLES; e++) {
    const alone = evaluate64(
      both(inputs.map((input, i) => valuesLeaf(input.shape, values[i]![mapped[i] ? e : 0]!, 'f32', true))),
    );
    alone.forEach((expected, i) => {
      const actual = batched[i]!.slice(e * expected.length, (e + 1) * expected.length);
      expect(
        actual.map((v) => v + 0),
        `batched: result ${i} of example ${e}`,
      ).toEqual(expected.map((v) => v + 0));
    });
  }
}

/** Gradients, with zeros where there are none. */
function gradientsOf(outputs: readonly Node[], cotangents: readonly Node[], wrt: readonly Node[]): Node[] {
  return backward(outputs, cotangents, wrt).map((g, i) => g ?? zeros(wrt[i]!));
}

const zeros = (like: Node): Node =>
  valuesLeaf(
    like.shape,
    Array.from({ length: sizeOf(like.shape) }, () => 0),
  );

function evaluateChecked(nodes: readonly Node[]): number[][] {
  verifyGraph(nodes);
  const values = evaluate64(nodes);
  const simple = simplify(nodes);
  verifyGraph(simple);
  evaluate64(simple).forEach((list, i) => {
    expect(simple[i]!.shape).toEqual(nodes[i]!.shape);
    list.forEach((v, j) => {
      expect(Math.abs(v - values[i]![j]!)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(v)));
    });
  });
  return values;
}
