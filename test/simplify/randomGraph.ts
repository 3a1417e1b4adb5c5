import fc from 'fast-check';
import {
  BINARY_FNS,
  BINARY_RULES,
  binary,
  cast,
  concat,
  DTYPES,
  type DType,
  expand,
  flip,
  full,
  isInteger,
  type Node,
  pad,
  permute,
  REDUCE_FNS,
  reduce,
  reshape,
  sameShape,
  sizeOf,
  slice,
  stopGradient,
  TillerError,
  UNARY_FNS,
  UNARY_RULES,
  unary,
  where,
  wideDType,
  window,
} from '../../src/graph/index.js';

/** One operation on nodes that exist already; the numbers choose among what fits. */
interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const KINDS = [
  'unary',
  'unary',
  'binary',
  'binary',
  'binaryWithConstant',
  'binaryWithConstant',
  'where',
  'cast',
  'constant',
  'reshape',
  'permute',
  'expand',
  'slice',
  'pad',
  'flip',
  'concat',
  'window',
  'reduce',
  'reduce',
  'gradientMarker',
] as const;

export const CONSTANTS: Record<DType, number[]> = {
  f32: [0, -0, 1, -1, 2, 3, 4, 0.5, -0.25, 0.1, Infinity, -Infinity, Number.NaN],
  i32: [0, 1, -1, 2, 5, -(2 ** 31), 2 ** 31 - 1],
  u32: [0, 1, 2, 7, 2 ** 32 - 1],
  bool: [0, 1],
  i8: [0, 1, -1, 5, -128, 127],
  u8: [0, 1, 7, 255],
  f16: [0, -0, 1, 0.5, Infinity, Number.NaN],
};

/** f16 is rounded where it is stored, which a simplified graph does less often. */
const EXACT_DTYPES = DTYPES.filter((dtype) => dtype !== 'f16');

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!;

function factorings(size: number, rank: number): number[][] {
  if (rank === 0) return size === 1 ? [[]] : [];
  const found: number[][] = [];
  for (let d = 1; d <= size; d++) {
    if (size % d === 0) for (const rest of factorings(size / d, rank - 1)) found.push([d, ...rest]);
  }
  return found;
}

function apply(step: Step, nodes: readonly Node[]): Node {
  const x = pick(nodes, step.a);
  const rank = x.shape.length;
  const like = (dtype: DType, n: number): Node => full(x.shape, pick(CONSTANTS[dtype], n), dtype);
  const same = nodes.filter((node) => node.dtype === x.dtype && sameShape(node.shape, x.shape));
  const perAxis = (n: number): number[] => x.shape.map((_, i) => (n >> (2 * i)) & 3);
  switch (step.kind) {
    case 'unary':
      return unary(
        pick(
          UNARY_FNS.filter((fn) => domainHas(UNARY_RULES[fn].domain, x.dtype)),
          step.b,
        ),
        x,
      );
    case 'binary':
      return binary(
        pick(
          BINARY_FNS.filter((fn) => domainHas(BINARY_RULES[fn].domain, x.dtype)),
          step.b,
        ),
        x,
        pick(same, step.c),
      );
    case 'binaryWithConstant': {
      const fn = pick(
        BINARY_FNS.filter((f) => domainHas(BINARY_RULES[f].domain, x.dtype)),
        step.b,
      );
      const constant = like(x.dtype, step.c >> 1);
      return step.c & 1 ? binary(fn, x, constant) : binary(fn, constant, x);
    }
    case 'where': {
      const conditions = nodes.filter((node) => node.dtype === 'bool' && sameShape(node.shape, x.shape));
      const condition = conditions.length === 0 ? like('bool', step.b) : pick(conditions, step.b);
      return where(condition, x, pick([...same, like(x.dtype, step.c)], step.c));
    }
    case 'cast':
      return cast(x, pick(EXACT_DTYPES, step.b));
    case 'constant':
      return like(pick(EXACT_DTYPES, step.b), step.c);
    case 'reshape':
      return reshape(x, sizeOf(x.shape) === 0 ? [0, 2] : pick(factorings(sizeOf(x.shape), step.b % 4 || rank), step.c));
    case 'permute': {
      const order = x.shape.map((_, i) => (i + step.b) % rank);
      return permute(x, step.c & 1 ? order.reverse() : order);
    }
    case 'expand':
      return expand(
        x,
        x.shape.map((d) => (d === 1 ? step.b % 3 : d)),
      );
    case 'slice': {
      const start = x.shape.map((d, i) => Math.min(perAxis(step.b)[i]! >> 1, d));
      const stride = x.shape.map((_, i) => 1 + (perAxis(step.c)[i]! & 1));
      const size = x.shape.map((d, i) =>
        Math.max(0, Math.ceil((d - start[i]!) / stride[i]!) - (perAxis(step.b)[i]! & 1)),
      );
      return slice(x, start, size, stride);
    }
    case 'pad': {
      const [low, high] = [perAxis(step.b).map((n) => n & 1), perAxis(step.b).map((n) => n >> 1)];
      const value = pick(x.dtype === 'f32' ? CONSTANTS.f32 : [0, 1], step.c);
      return pad(x, { low, high, interior: perAxis(step.c).map((n) => (n === 3 ? 1 : 0)), value });
    }
    case 'flip':
      return flip(
        x,
        x.shape.flatMap((_, i) => ((step.b >> i) & 1 ? [i] : [])),
      );
    case 'concat':
      return concat([x, pick(same, step.b)], step.c % rank);
    case 'window': {
      const axis = step.b % rank;
      const size = 1 + (step.c % Math.max(1, Math.min(2, x.shape[axis]!)));
      return window(x, { axes: [axis], size: [size], stride: [1 + ((step.c >> 2) & 1)], dilation: [1] });
    }
    case 'reduce':
      return reduce(
        pick(REDUCE_FNS, step.b),
        x,
        x.shape.flatMap((_, i) => ((step.c >> i) & 1 ? [i] : [])),
      );
    case 'gradientMarker':
      return stopGradient(x);
  }
}

export function domainHas(domain: string, dtype: DType): boolean {
  const domains: Record<string, readonly DType[]> = {
    float: ['f32'],
    signed: ['f32', 'i32'],
    numeric: ['f32', 'i32', 'u32'],
    bool: ['bool'],
    integer: ['i32', 'u32'],
    bits: ['i32', 'u32', 'bool'],
    any: DTYPES,
  };
  return domains[domain]!.includes(isInteger(dtype) ? wideDType(dtype) : dtype);
}

const number = fc.nat({ max: 255 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), a: number, b: number, c: number }),
  { minLength: 1, maxLength: 25 },
);

const MAX_ELEMENTS = 64;

/** Graphs of random operations over the given sources. A step that does not fit its operands, or is not allowed, is left out. */
export function randomGraphs(sources: () => Node[], allowed: (node: Node) => boolean): fc.Arbitrary<Node[]> {
  return steps.map((list) => {
    const nodes = sources();
    for (const step of list) {
      try {
        // Late nodes more often, so that graphs get deep.
        const recent = step.a & 1 ? nodes.slice(-3) : nodes;
        const made = apply({ ...step, a: step.a >> 1 }, recent.length > 0 ? recent : nodes);
        if (sizeOf(made.shape) <= MAX_ELEMENTS && made.shape.length > 0 && made.shape.length <= 4 && allowed(made)) {
          nodes.push(made);
        }
      } catch (error) {
        if (!(error instanceof TillerError)) throw error;
      }
    }
    return nodes.slice(-4);
  });
}
