import {
  type BinaryFn,
  type CumulativeFn,
  isPrim,
  type LeafSource,
  type Node,
  rowMajorStrides,
  type Shape,
  sizeOf,
  topologicalOrder,
  type UnaryFn,
} from '../../src/graph/index.js';

/** A leaf that carries its values, for tests. */
export interface TestSource extends LeafSource {
  values: number[];
}

/** Abramowitz and Stegun's series for erf, summed in float64: exact to about 1e-15 for |x| < 3. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** By halving. */
function inverseErf(x: number): number {
  let [low, high] = [-3, 3];
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (erf(middle) < x) low = middle;
    else high = middle;
  }
  return low;
}

/** Lanczos' approximation of Γ (g = 7). */
function gamma(x: number): number {
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  const c = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const t = x + 6.5;
  const sum = c.reduce((total, value, i) => total + value / (x + i), 0.99999999999980993);
  return Math.sqrt(2 * Math.PI) * t ** (x - 0.5) * Math.exp(-t) * sum;
}

const MEET64: Record<CumulativeFn, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

const UNARY: Partial<Record<UnaryFn, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
  trunc: Math.trunc,
  reciprocal: (x) => 1 / x,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  log2: Math.log2,
  log10: Math.log10,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  erf,
  erfc: (x) => 1 - erf(x),
  erfinv: inverseErf,
  lgamma: (x) => Math.log(Math.abs(gamma(x))),
  digamma: (x) => (Math.log(gamma(x + 1e-5) / gamma(x)) - Math.log(gamma(x - 1e-5) / gamma(x))) / 2e-5,
  logicalNot: (x) => 1 - x,
};

const BINARY: Partial<Record<BinaryFn, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  floorDiv: (a, b) => Math.floor(a / b),
  remainder: (a, b) => a - b * Math.floor(a / b),
  fmod: (a, b) => a % b,
  pow: (a, b) => a ** b,
  max: Math.max,
  min: Math.min,
  atan2: Math.atan2,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
};

/** Every index of a shape, in row-major order. */
export function* indicesOf(shape: Shape): Generator<number[]> {
  const index = new Array<number>(shape.length).fill(0);
  for (let n = sizeOf(shape); n > 0; n--) {
    yield [...index];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

const offset = (shape: Shape, index: readonly number[]): number => {
  const strides = rowMajorStrides(shape);
  return index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0);
};

/** Element at an index of an input; 0 outside. */
type Read = (input: number, index: readonly number[]) => number;

function elementAt(node: Node, at: readonly number[], read: Read): number {
  const [x, y] = node.inputs;
  if (isPrim(node, 'iota')) return at[node.attrs.axis]!;
  if (isPrim(node, 'unary')) return UNARY[node.attrs.fn]!(read(0, at));
  if (isPrim(node, 'binary')) return BINARY[node.attrs.fn]!(read(0, at), read(1, at));
  if (isPrim(node, 'where')) return read(0, at) ? read(1, at) : read(2, at);
  if (isPrim(node, 'permute')) {
    const from: number[] = [];
    node.attrs.order.forEach((axis, i) => {
      from[axis] = at[i]!;
    });
    return read(0, from);
  }
  if (isPrim(node, 'expand'))
    return read(
      0,
      at.map((i, axis) => (x!.shape[axis] === 1 ? 0 : i)),
    );
  if (isPrim(node, 'slice'))
    return read(
      0,
      at.map((i, axis) => node.attrs.start[axis]! + i * node.attrs.step[axis]!),
    );
  if (isPrim(node, 'flip')) {
    return read(
      0,
      at.map((i, axis) => (node.attrs.axes.includes(axis) ? x!.shape[axis]! - 1 - i : i)),
    );
  }
  if (isPrim(node, 'pad')) {
    const { low, interior, value } = node.attrs;
    const spread = at.map((i, axis) => (i - low[axis]!) / (interior[axis]! + 1));
    return spread.every((i, axis) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis]!) ? read(0, spread) : value;
  }
  if (isPrim(node, 'concat')) {
    const from = [...at];
    let part = 0;
    while (from[node.attrs.axis]! >= node.inputs[part]!.shape[node.attrs.axis]!) {
      from[node.attrs.axis]! -= node.inputs[part++]!.shape[node.attrs.axis]!;
    }
    return read(part, from);
  }
  if (isPrim(node, 'window')) {
    const from = at.slice(0, x!.shape.length);
    node.attrs.axes.forEach((axis, i) => {
      from[axis] = from[axis]! * node.attrs.stride[i]! + at[x!.shape.length + i]! * node.attrs.dilation[i]!;
    });
    return read(0, from);
  }
  if (isPrim(node, 'reduce')) {
    const { fn, axes } = node.attrs;
    const range = x!.shape.map((d, axis) => (axes.includes(axis) ? d : 1));
    const values = [...indicesOf(range)].map((by) =>
      read(
        0,
        at.map((i, axis) => i + by[axis]!),
      ),
    );
    if (fn === 'sum') return values.reduce((a, b) => a + b, 0);
    if (fn === 'prod') return values.reduce((a, b) => a * b, 1);
    const extreme = fn === 'max' || fn === 'argmax' ? Math.max(...values) : Math.min(...values);
    return fn === 'max' || fn === 'min' ? extreme : values.indexOf(extreme);
  }
  if (isPrim(node, 'dot')) {
    const [batch, row, column] = [at.slice(0, -2), at.at(-2)!, at.at(-1)!];
    let sum = 0;
    for (let k = 0; k < x!.shape.at(-1)!; k++) sum += read(0, [...batch, row, k]) * read(1, [...batch, k, column]);
    return sum;
  }
  if (isPrim(node, 'conv')) {
    const { stride, padLow, inputDilation, kernelDilation, groups } = node.attrs;
    const [n, o, ...place] = at as [number, number, ...number[]];
    const [out, perGroup, ...kernel] = y!.shape as [number, number, ...number[]];
    const group = Math.floor(o / (out / groups));
    let sum = 0;
    for (const k of indicesOf(kernel)) {
      const from = place.map((p, i) => (p * stride[i]! + k[i]! * kernelDilation[i]! - padLow[i]!) / inputDilation[i]!);
      if (!from.every((i, axis) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis + 2]!)) continue;
      for (let c = 0; c < perGroup; c++) sum += read(0, [n, group * perGroup + c, ...from]) * read(1, [o, c, ...k]);
    }
    return sum;
  }
  if (isPrim(node, 'gather')) {
    const index = read(1, at);
    const { axis } = node.attrs;
    return index >= 0 && index < x!.shape[axis]!
      ? read(
          0,
          at.map((i, a) => (a === axis ? index : i)),
        )
      : Number.NaN;
  }
  const along = (axis: number, i: number): number[] => at.map((v, a) => (a === axis ? i : v));
  if (isPrim(node, 'cumulative')) {
    const { fn, axis } = node.attrs;
    const line = Array.from({ length: at[axis]! + 1 }, (_, i) => read(0, along(axis, i)));
    return line.reduce((a, b) => MEET64[fn](a, b));
  }
  if (isPrim(node, 'argsort')) {
    const { axis, descending } = node.attrs;
    const line = Array.from({ length: node.shape[axis]! }, (_, i) => read(0, along(axis, i)));
    const order = line
      .map((_, i) => i)
      .sort((i, j) => (descending ? line[j]! - line[i]! : line[i]! - line[j]!) || i - j);
    return order[at[axis]!]!;
  }
  if (isPrim(node, 'scatter')) {
    const { fn, axis } = node.attrs;
    let value = read(0, at);
    if (at.some((v, a) => a !== axis && v >= y!.shape[a]!)) return value;
    for (let i = 0; i < y!.shape[axis]!; i++) {
      if (read(1, along(axis, i)) !== at[axis]) continue;
      const update = read(2, along(axis, i));
      value = fn === 'set' ? update : MEET64[fn === 'add' ? 'sum' : fn](value, update);
    }
    return value;
  }
  return read(0, at);
}

/** Evaluates a graph in float64 without any rounding: finite differences of it are exact enough to check gradients closely. */
export function evaluate64(roots: readonly Node[]): number[][] {
  const values = new Map<Node, number[]>();
  for (const node of topologicalOrder(roots)) {
    if (isPrim(node, 'leaf')) values.set(node, (node.attrs.source as TestSource).values);
    else if (isPrim(node, 'const')) values.set(node, [node.attrs.value]);
    else if (isPrim(node, 'scalar')) values.set(node, [node.attrs.source.value]);
    else if (isPrim(node, 'reshape')) values.set(node, values.get(node.inputs[0]!)!);
    else {
      const read: Read = (i, index) => values.get(node.inputs[i]!)![offset(node.inputs[i]!.shape, index)]!;
      values.set(
        node,
        [...indicesOf(node.shape)].map((at) => elementAt(node, at, read)),
      );
    }
  }
  return roots.map((root) => values.get(root)!);
}
