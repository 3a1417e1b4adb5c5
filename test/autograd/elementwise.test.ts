import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/index.js';
import {
  type BinaryFn,
  binary,
  clampNode,
  full,
  type Node,
  reluNode,
  type UnaryFn,
  unary,
  where,
} from '../../src/graph/index.js';
import { checkGradient, randomLeaf, randomNumbers, valuesLeaf } from './checkGradient.js';
import { evaluate64 } from './evaluate64.js';

/** Values to differentiate at (smooth there); null where the result is no float. */
const UNARY_POINTS: Record<UnaryFn, number[] | null> = {
  neg: [-1, 0, 2],
  abs: [-1.5, 0.5, 3],
  sign: [-1.5, 0.5],
  floor: [-1.5, 0.25, 2.75],
  ceil: [-1.5, 0.25, 2.75],
  round: [-1.25, 0.25, 2.75],
  trunc: [-1.5, 0.25, 2.75],
  reciprocal: [-2, 0.5, 3],
  sqrt: [0.25, 1, 9],
  rsqrt: [0.25, 1, 9],
  exp: [-2, 0, 1.5],
  expm1: [-2, 0, 1.5],
  log: [0.25, 1, 9],
  log1p: [-0.5, 0, 3],
  log2: [0.25, 1, 9],
  log10: [0.25, 1, 9],
  sin: [-2, 0, 1.5],
  cos: [-2, 0, 1.5],
  tan: [-1, 0, 0.7],
  asin: [-0.75, 0, 0.5],
  acos: [-0.75, 0, 0.5],
  atan: [-2, 0, 0.5],
  sinh: [-2, 0, 0.5],
  cosh: [-2, 0, 0.5],
  tanh: [-2, 0, 0.5],
  sigmoid: [-2, 0, 0.5],
  erf: [-1, 0, 0.5],
  erfc: [-1, 0, 1.5],
  erfinv: [-0.9, 0, 0.5],
  lgamma: [-1.5, 0.25, 3],
  digamma: [-1.5, 0.25, 7],
  isnan: null,
  isinf: null,
  isfinite: null,
  signbit: null,
  logicalNot: null,
  bitwiseNot: null,
};

const BINARY_POINTS: Record<BinaryFn, [number, number][] | null> = {
  add: [[1, 2]],
  sub: [[1, 2]],
  mul: [
    [3, -2],
    [0, 2],
  ],
  div: [
    [3, -2],
    [0, 2],
  ],
  floorDiv: [
    [3.25, 2],
    [-3.25, 2],
  ],
  remainder: [
    [3.25, 2],
    [-3.25, 1.5],
    [7.3, -2],
  ],
  fmod: [
    [3.25, 2],
    [-3.25, 1.5],
    [7.3, -2],
  ],
  pow: [
    [2, 3],
    [0.5, -1.5],
    [3, 0.5],
  ],
  max: [
    [1, 2],
    [2, 1],
  ],
  min: [
    [1, 2],
    [2, 1],
  ],
  atan2: [
    [1, 2],
    [-1, 2],
    [1, -2],
    [-1, -2],
    [0.5, 0.1],
  ],
  nextafter: null,
  eq: null,
  ne: null,
  lt: null,
  le: null,
  and: null,
  or: null,
  xor: null,
  shiftLeft: null,
  shiftRight: null,
  gcd: null,
};

const vector = (values: number[]): Node<'leaf'> => valuesLeaf([values.length], values, 'f32', true);

/** Gradients of the sum of all elements. */
function gradientAt(build: (...inputs: Node[]) => Node, ...inputs: number[][]): number[][] {
  const leaves = inputs.map(vector);
  const output = build(...leaves);
  const gradients = backward([output], [full(output.shape, 1, 'f32')], leaves);
  return evaluate64(gradients.map((g) => g!));
}

describe('unary gradients', () => {
  for (const [fn, points] of Object.entries(UNARY_POINTS) as [UnaryFn, number[] | null][]) {
    if (points !== null)
      it(`${fn} agrees with differences`, () => checkGradient((x) => unary(fn, x!), [vector([...points])]));
  }

  it('has no gradient to a bool', () => {
    const x = vector([1, Number.NaN]);
    expect(unary('isnan', x).requiresGrad).toBe(false);
    expect(backward([unary('isnan', x)], [full([2], 1, 'f32')], [x])).toEqual([null]);
  });

  it('takes 0 for the slope of abs at 0', () => {
    expect(gradientAt((x) => unary('abs', x!), [-2, 0, 3])).toEqual([[-1, 0, 1]]);
  });

  it('gives zeros, not null, through a piecewise constant function', () => {
    expect(gradientAt((x) => unary('floor', x!), [1.5, 2])).toEqual([[0, 0]]);
  });

  it('writes exp, tanh and sigmoid in their own values', () => {
    for (const fn of ['exp', 'tanh', 'sigmoid', 'sqrt', 'rsqrt', 'reciprocal', 'tan', 'expm1'] as const) {
      const x = vector([0.5]);
      const y = unary(fn, x);
      const [g] = backward([y], [valuesLeaf([1], [1])], [x]);
      const reads = new Set<Node>();
      const stack = [g!];
      while (stack.length > 0) {
        const node = stack.pop()!;
        if (node === y || reads.has(node)) continue;
        reads.add(node);
        stack.push(...node.inputs);
      }
      expect(reads.has(x), fn).toBe(false);
    }
  });
});

describe('binary gradients', () => {
  for (const [fn, points] of Object.entries(BINARY_POINTS) as [BinaryFn, [number, number][] | null][]) {
    if (points === null) continue;
    it(`${fn} agrees with differences`, () => {
      const [a, b] = [vector(points.map((p) => p[0])), vector(points.map((p) => p[1]))];
      checkGradient((x, y) => binary(fn, x!, y!), [a, b]);
    });
  }

  it('adds the gradients of one node used twice', () => {
    expect(gradientAt((x) => binary('mul', x!, x!), [3, -2])).toEqual([[6, -4]]);
    checkGradient((x) => binary('div', unary('exp', x!), binary('mul', x!, x!)), [vector([1.5, -0.7])]);
  });

  it('shares the gradient of max and min where both are equal', () => {
    for (const fn of ['max', 'min'] as const) {
      const [a, b] = gradientAt((x, y) => binary(fn, x!, y!), [1, 2, 3], [2, 2, 2]);
      expect(a).toEqual(fn === 'max' ? [0, 0.5, 1] : [1, 0.5, 0]);
      expect(b).toEqual(fn === 'max' ? [1, 0.5, 0] : [0, 0.5, 1]);
    }
  });

  it('keeps pow finite at 0, as PyTorch does', () => {
    const [base, exponent] = gradientAt((x, y) => binary('pow', x!, y!), [0, 0, 0, 2], [0, 1, 2, 0]);
    expect(base).toEqual([0, 1, 0, 0]);
    expect(exponent!.slice(0, 3)).toEqual([0, 0, 0]);
    expect(exponent![3]).toBeCloseTo(Math.log(2), 12);
  });

  it('keeps second derivatives of pow finite at 0', () => {
    const [x, y] = [vector([0, 0, 2]), vector([0, 2, 0])];
    const ones = full([3], 1, 'f32');
    const [dx, dy] = backward([binary('pow', x, y)], [ones], [x, y]);
    const second = backward([dx!, dy!], [ones, ones], [x, y]);
    for (const list of evaluate64(second.map((g) => g!))) for (const v of list) expect(Number.isFinite(v)).toBe(true);
  });

  it('uses a constant exponent without asking where it is 0', () => {
    const cases: [number, number[]][] = [
      [0, [0, 0]],
      [1, [1, 1]],
      [2, [0, 6]],
      [3, [0, 27]],
    ];
    for (const [exponent, expected] of cases) {
      expect(gradientAt((x) => binary('pow', x!, full([2], exponent, 'f32')), [0, 3])).toEqual([expected]);
    }
    checkGradient((x) => binary('pow', x!, full([3], 2.5, 'f32')), [vector([0.5, 1, 2])]);
  });
});

describe('where and what is composed of it', () => {
  it('lets the gradient pass to the chosen side only', () => {
    const condition = valuesLeaf([3], [1, 0, 1], 'bool');
    expect(gradientAt((a, b) => where(condition, a!, b!), [1, 2, 3], [4, 5, 6])).toEqual([
      [1, 0, 1],
      [0, 1, 0],
    ]);
    const next = randomNumbers(4);
    checkGradient(
      (a, b) => where(condition, binary('mul', a!, b!), unary('sin', b!)),
      [randomLeaf(next, [3], -1, 1), randomLeaf(next, [3], -1, 1)],
    );
  });

  it('passes 0 to the side that was not chosen, which a slope of NaN turns into NaN, as in PyTorch', () => {
    const zero = full([2], 0, 'f32');
    const [gradient] = gradientAt((x) => where(binary('lt', zero, x!), unary('sqrt', x!), zero), [4, -1]);
    expect(gradient).toEqual([0.25, Number.NaN]);
  });

  it('has PyTorch gradients for relu: 0 at 0, from the output', () => {
    expect(gradientAt((x) => reluNode(x!), [-1, 0, 2])).toEqual([[0, 0, 1]]);
    expect(evaluate64([reluNode(vector([-1, 0, 2, Number.NaN]))])).toEqual([[0, 0, 2, Number.NaN]]);
    checkGradient((x) => reluNode(binary('mul', x!, x!)), [vector([-1, 0.5, 2])]);
    checkGradient((x) => binary('mul', reluNode(x!), unary('exp', x!)), [vector([-1, 0.5, 2])]);
  });

  it('passes the gradient of clamp at the bounds', () => {
    const clamp = (x: Node): Node => clampNode(x, full([5], -1, 'f32'), full([5], 1, 'f32'));
    expect(gradientAt((x) => clamp(x!), [-2, -1, 0, 1, 2])).toEqual([[0, 1, 1, 1, 0]]);
    expect(evaluate64([clamp(vector([-2, -1, 0.5, Number.NaN, 2]))])).toEqual([[-1, -1, 0.5, Number.NaN, 1]]);
    const crossed = clampNode(vector([0, 5]), full([2], 3, 'f32'), full([2], 1, 'f32'));
    expect(evaluate64([crossed])).toEqual([[1, 1]]);
  });
});
