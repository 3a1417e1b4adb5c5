import fc from 'fast-check';
import { backward } from '../../src/autograd/index.js';
import {
  argsort,
  type BinaryFn,
  binary,
  cast,
  concat,
  constant,
  conv,
  cumulative,
  dot,
  expand,
  flip,
  full,
  gather,
  iota,
  type Node,
  pad,
  permute,
  reduce,
  reshape,
  sameShape,
  scatter,
  sizeOf,
  slice,
  TillerError,
  transposeLast,
  type UnaryFn,
  unary,
  where,
  window,
} from '../../src/graph/index.js';
import { applyPacked, unpacked } from './packedSteps.js';

/** One operation on what exists already; the numbers choose among what fits. */
export interface Step {
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
  'scale',
  'where',
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
  'dot',
  'dot',
  'conv',
  'gather',
  'scatter',
  'cumulative',
  'sort',
  'softmax',
  'normalize',
  'packed',
  'packed',
] as const;

/** Smooth and bounded, so that a rounding stays a rounding and nothing overflows. */
const UNARY: readonly UnaryFn[] = ['neg', 'abs', 'sin', 'cos', 'tanh', 'sigmoid', 'atan', 'erf'];
const BINARY: readonly BinaryFn[] = ['add', 'sub', 'mul', 'max', 'min'];
const MAX_ELEMENTS = 400;

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length]!;

function factorings(size: number, rank: number): number[][] {
  if (rank === 0) return size === 1 ? [[]] : [];
  const found: number[][] = [];
  for (let d = 1; d <= size; d++)
    if (size % d === 0) for (const rest of factorings(size / d, rank - 1)) found.push([d, ...rest]);
  return found;
}

/** Indices 0, 3, 1, … below `n`, repeated, and now and then one out of range. */
function indices(shape: readonly number[], axis: number, n: number, out: boolean): Node {
  const places = iota(shape, axis);
  const mixed = binary('add', binary('mul', places, full(shape, 3, 'i32')), full(shape, 1, 'i32'));
  return binary('remainder', mixed, full(shape, Math.max(1, n + (out ? 1 : 0)), 'i32'));
}

function apply(step: Step & { kind: Exclude<Step['kind'], 'packed'> }, nodes: readonly Node[]): Node {
  const x = pick(nodes, step.a);
  const rank = x.shape.length;
  const axis = step.b % rank;
  const same = nodes.filter((n) => sameShape(n.shape, x.shape));
  const other = pick(nodes, step.c);
  const like = (value: number): Node => full(x.shape, value, 'f32');
  switch (step.kind) {
    case 'unary':
      return unary(pick(UNARY, step.b), x);
    case 'binary':
      return binary(pick(BINARY, step.b), x, pick(same, step.c));
    case 'scale':
      return binary(step.c & 1 ? 'mul' : 'add', x, like(((step.b % 7) - 3) / 2));
    case 'where': {
      const condition = binary('lt', iota(x.shape, axis), full(x.shape, step.c % 4, 'i32'));
      return where(condition, x, pick(same, step.c));
    }
    case 'reshape':
      return reshape(x, pick(factorings(sizeOf(x.shape), 1 + (step.b % 4)), step.c));
    case 'permute': {
      const order = x.shape.map((_, i) => (i + step.b) % rank);
      return permute(x, step.c & 1 ? order.reverse() : order);
    }
    case 'expand':
      return expand(
        x,
        x.shape.map((d) => (d === 1 ? 1 + (step.b % 5) : d)),
      );
    case 'slice': {
      const stride = 1 + (step.c % 3);
      const start = x.shape.map((d, i) => (i === axis ? Math.min(step.c % 2, d - 1) : 0));
      const size = x.shape.map((d, i) => (i === axis ? Math.floor((d - 1 - start[i]!) / stride) + 1 : d));
      return slice(
        x,
        start,
        size,
        x.shape.map((_, i) => (i === axis ? stride : 1)),
      );
    }
    case 'pad': {
      const at = (n: number): number[] => x.shape.map((_, i) => (i === axis ? n : 0));
      return pad(x, {
        low: at(step.c & 1),
        high: at((step.c >> 1) & 1),
        interior: at((step.c >> 2) & 1),
        value: (step.c % 5) / 4,
      });
    }
    case 'flip':
      return flip(x, [axis]);
    case 'concat': {
      const fit = nodes.filter(
        (n) => n.shape.length === rank && n.shape.every((d, i) => i === axis || d === x.shape[i]),
      );
      return concat([x, pick(fit, step.c)], axis);
    }
    case 'window':
      return window(x, {
        axes: [axis],
        size: [1 + (step.c % 3)],
        stride: [1 + ((step.c >> 2) & 1)],
        dilation: [1 + ((step.c >> 3) & 1)],
      });
    case 'reduce': {
      const axes = x.shape.flatMap((_, i) => ((step.c >> i) & 1 ? [i] : []));
      const fn = step.b % 4 === 0 ? 'max' : step.b % 4 === 1 ? 'min' : 'sum';
      const y = reduce(fn, x, axes);
      return fn === 'sum' ? binary('mul', y, full(y.shape, sizeOf(y.shape) / Math.max(1, sizeOf(x.shape)), 'f32')) : y;
    }
    case 'dot': {
      const k = x.shape[rank - 1]!;
      const right =
        step.b & 1
          ? reshape(other, [k, sizeOf(other.shape) / k])
          : transposeLast(reshape(other, [sizeOf(other.shape) / k, k]));
      const left = reshape(x, [sizeOf(x.shape) / k, k]);
      const y = dot(left, right);
      return binary('mul', y, full(y.shape, 1 / Math.max(1, k), 'f32'));
    }
    case 'conv': {
      const taps = Math.min(3, sizeOf(other.shape));
      const kernel = reshape(slice(reshape(other, [sizeOf(other.shape)]), [0], [taps]), [1, 1, taps]);
      const lines = reshape(x, [sizeOf(x.shape) / x.shape[rank - 1]!, 1, x.shape[rank - 1]!]);
      return conv(lines, kernel, {
        stride: [1 + (step.b & 1)],
        padLow: [step.c % 3],
        padHigh: [(step.c >> 1) % 2],
        inputDilation: [1 + ((step.b >> 1) & 1)],
        kernelDilation: [1 + ((step.b >> 2) & 1)],
        groups: 1,
      });
    }
    case 'gather': {
      const shape = x.shape.map((d, i) => (i === axis ? 1 + (step.c % 4) : d));
      return gather(x, indices(shape, axis, x.shape[axis]!, false), axis);
    }
    case 'scatter': {
      const shape = x.shape.map((d, i) => (i === axis ? 1 + (step.c % 4) : d));
      const n = sizeOf(shape);
      if (n > sizeOf(other.shape)) throw new TillerError('too few updates');
      const updates = reshape(slice(reshape(other, [sizeOf(other.shape)]), [0], [n]), shape);
      return scatter('add', x, indices(shape, axis, x.shape[axis]!, true), updates, axis);
    }
    case 'cumulative': {
      const y = cumulative('sum', x, axis);
      return binary('mul', y, full(y.shape, 1 / Math.max(1, x.shape[axis]!), 'f32'));
    }
    case 'sort':
      return gather(x, argsort(x, axis, (step.c & 1) === 1), axis);
    case 'softmax': {
      const shifted = binary('sub', x, expand(reduce('max', x, [axis]), x.shape));
      const e = unary('exp', shifted);
      return binary('div', e, expand(reduce('sum', e, [axis]), x.shape));
    }
    case 'normalize': {
      const n = x.shape[axis]!;
      const mean = (v: Node): Node => {
        const s = reduce('sum', v, [axis]);
        return binary('mul', s, full(s.shape, 1 / n, 'f32'));
      };
      const centred = binary('sub', x, expand(mean(x), x.shape));
      const variance = mean(binary('mul', centred, centred));
      const scaled = unary('rsqrt', binary('add', variance, full(variance.shape, 0.5, 'f32')));
      return binary('mul', centred, expand(scaled, x.shape));
    }
  }
}

const fits = (made: Node): boolean =>
  sizeOf(made.shape) <= MAX_ELEMENTS && sizeOf(made.shape) > 0 && made.shape.length > 0 && made.shape.length <= 5;

/**
 * Applies steps to the sources; one that does not fit its operands is left out. Gives the last nodes, f32 all, and the last of the packed ones.
 */
export function build(
  sources: readonly Node[],
  steps: readonly Step[],
  packedSources: readonly Node[] = [],
): { outputs: Node[]; packed: Node[] } {
  const nodes = [...sources];
  const packed = [...packedSources];
  for (const step of steps) {
    // Late nodes more often, so that graphs get deep.
    const late = <T>(list: readonly T[]): readonly T[] => (step.a & 1 ? list.slice(-3) : list);
    const { kind, b, c } = step;
    const a = step.a >> 1;
    try {
      if (kind === 'packed') {
        if (packed.length === 0) continue;
        const made = applyPacked(a, b, c, late(packed));
        if (!fits(made)) continue;
        packed.push(made);
        nodes.push(unpacked(made));
      } else {
        const made = apply({ kind, a, b, c }, late(nodes));
        if (fits(made)) nodes.push(cast(made, 'f32'));
      }
    } catch (error) {
      if (!(error instanceof TillerError)) throw error;
    }
  }
  return { outputs: nodes.slice(-2), packed: packed.length > packedSources.length ? packed.slice(-2) : [] };
}

const number = fc.nat({ max: 255 });

/** Up to 12 operations. */
export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.constantFrom(...KINDS), a: number, b: number, c: number }),
  { minLength: 1, maxLength: 12 },
);

/** A step as a counterexample is written down. */
export type StepRow = readonly [Step['kind'], number, number, number];

export const stepsOf = (rows: readonly StepRow[]): Step[] => rows.map(([kind, a, b, c]) => ({ kind, a, b, c }));

/** What the steps compute from leaves and packed leaves, and the gradients of the leaves from all of it. */
export function withGradients(
  leaves: readonly Node[],
  list: readonly Step[],
  packedLeaves: readonly Node[] = [],
): Node[] {
  const { outputs, packed } = build(leaves, list, packedLeaves);
  const total = outputs
    .map((o) => {
      const axes = o.shape.map((_, i) => i);
      return reshape(reduce('sum', unary('sin', o), axes), []);
    })
    .reduce((a, b) => binary('add', a, b));
  const gradients = backward([total], [constant(1, 'f32')], leaves).filter((g): g is Node => g !== null);
  return [...outputs, ...gradients, ...packed];
}
