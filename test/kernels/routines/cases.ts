/** Matrices for every routine, and what has to hold of what it makes of them. */
import { evaluateNodes } from '../../../src/engine/reference/index.js';
import { leaf, type Node, type RoutineAttrs, routine, type Shape, sizeOf } from '../../../src/graph/index.js';

export interface RoutineCase {
  readonly name: string;
  readonly attrs: RoutineAttrs;
  readonly shapes: readonly Shape[];
  readonly operands: readonly Float32Array[];
}

/** Numbers between -1 and 1. */
export function noise(count: number, seed: number): Float32Array {
  let state = (seed * 7919 + 1) % 2147483647;
  return Float32Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647) * 2 - 1;
  });
}

/** Changes the elements (batch, i, j) of matrices. */
function mapMatrices(
  x: Float32Array,
  [m, n]: readonly [number, number],
  fn: (x: number, i: number, j: number) => number,
) {
  return x.map((value, at) => fn(value, Math.floor(at / n) % m, at % n));
}

const BATCHES: readonly (readonly number[])[] = [[], [0], [5]];
const SIZES = [0, 1, 2, 3, 7, 33, 65];
const RECTANGLES = [
  [1, 4],
  [4, 1],
  [3, 7],
  [7, 3],
  [33, 7],
  [7, 33],
  [65, 33],
  [3, 0],
  [0, 3],
] as const;

/** Symmetric, or positive definite, below the diagonal; above it there is what nobody may read. */
function symmetric(batch: readonly number[], n: number, definite: boolean): Float32Array {
  const x = noise(sizeOf([...batch, n, n]), n + 1);
  return mapMatrices(x, [n, n], (value, i, j) => (i < j ? Number.NaN : i === j && definite ? n + value : value));
}

export function routineCases(fn: RoutineAttrs['fn']): RoutineCase[] {
  const cases: RoutineCase[] = [];
  const add = (attrs: RoutineAttrs, shapes: Shape[], operands: Float32Array[], what = '') => {
    const name = `${what}${shapes.map((shape) => `[${shape.join(', ')}]`).join(' ')}`;
    cases.push({ name, attrs, shapes, operands });
  };
  const squares = BATCHES.flatMap((batch) => SIZES.map((n) => ({ batch, n }))).filter(
    ({ batch, n }) => batch.length === 0 || n < 65,
  );
  const rectangles = BATCHES.flatMap((batch) => RECTANGLES.map(([m, n]) => ({ batch, m, n })));
  const any = [...squares.map(({ batch, n }) => ({ batch, m: n, n })), ...rectangles];
  switch (fn) {
    case 'cholesky':
    case 'eigh':
      for (const { batch, n } of squares) add({ fn }, [[...batch, n, n]], [symmetric(batch, n, fn === 'cholesky')]);
      break;
    case 'lu':
    case 'qr':
    case 'svd':
      for (const { batch, m, n } of any) {
        if (fn === 'svd' && m < n) continue;
        add({ fn }, [[...batch, m, n]], [noise(sizeOf([...batch, m, n]), m + n)]);
      }
      break;
    case 'triangularSolve':
      for (const bits of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const attrs = { fn, lower: (bits & 1) > 0, unitDiagonal: (bits & 2) > 0, transpose: (bits & 4) > 0 };
        for (const { batch, n } of squares) {
          for (const k of [1, 5]) {
            const unread = (i: number, j: number) => (attrs.lower ? i < j : i > j) || (attrs.unitDiagonal && i === j);
            const a = mapMatrices(noise(sizeOf([...batch, n, n]), n + bits), [n, n], (x, i, j) =>
              unread(i, j) ? Number.NaN : i === j ? 2 + x : (x * 2) / Math.max(1, n),
            );
            const b = noise(sizeOf([...batch, n, k]), n + k);
            const options = Object.entries(attrs).filter(([, value]) => value === true);
            add(
              attrs,
              [
                [...batch, n, n],
                [...batch, n, k],
              ],
              [a, b],
              `${options.map(([key]) => `${key} `).join('')}`,
            );
          }
        }
      }
  }
  return cases;
}

/** The node of a case on leaves. */
export function nodeOf({ attrs, shapes }: RoutineCase): { node: Node<'routine'>; leaves: Node<'leaf'>[] } {
  const leaves = shapes.map((shape) => leaf({ shape, dtype: 'f32' }) as Node<'leaf'>);
  return { node: routine(attrs, leaves), leaves };
}

/** Rows from `start` on of each row-major matrix. */
class View {
  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly at: (i: number, j: number) => number,
  ) {}

  get transposed(): View {
    return new View(this.columns, this.rows, (i, j) => this.at(j, i));
  }

  times(other: View): View {
    return new View(this.rows, other.columns, (i, j) => {
      let sum = 0;
      for (let k = 0; k < this.columns; k++) sum += this.at(i, k) * other.at(k, j);
      return sum;
    });
  }

  /** The largest difference of two matrices; NaN if some element is none. */
  minus(other: View): number {
    let most = 0;
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) most = Math.max(most, Math.abs(this.at(i, j) - other.at(i, j)));
    }
    return most;
  }
}

const identity = (n: number): View => new View(n, n, (i, j) => Number(i === j));

/**
 * The largest error of a result: against the float64 reference where the result is unique, else of the products and orthogonality that
 * define it, and of what is unique in it.
 */
export function errorOf(test: RoutineCase, result: ArrayLike<number>): number {
  const { node, leaves } = nodeOf(test);
  const given = new Map(leaves.map((l, i) => [l as Node, test.operands[i]!]));
  const expected = evaluateNodes([node], given)[0]!;
  if (expected.length !== result.length) return Number.POSITIVE_INFINITY;
  const { fn } = test.attrs;
  const [rows, columns] = node.shape.slice(-2) as [number, number];
  const [m, n] = test.shapes[0]!.slice(-2) as [number, number];
  const count = sizeOf(node.shape.slice(0, -2));
  let most = 0;
  for (let b = 0; b < count; b++) {
    const of = (x: ArrayLike<number>) => new View(rows, columns, (i, j) => x[b * rows * columns + i * columns + j]!);
    const [actual, wanted] = [of(result), of(expected)];
    const a = new View(m, n, (i, j) => test.operands[0]![b * m * n + i * n + j]!);
    if (fn === 'eigh') {
      const whole = new View(n, n, (i, j) => (j <= i ? a.at(i, j) : a.at(j, i)));
      const vectors = new View(n, n, (i, j) => actual.at(i + 1, j));
      const scaled = new View(n, n, (i, j) => vectors.at(i, j) * actual.at(0, j));
      for (let j = 0; j < n; j++) most = Math.max(most, Math.abs(actual.at(0, j) - wanted.at(0, j)));
      for (let j = 1; j < n; j++) if (actual.at(0, j) < actual.at(0, j - 1)) most = Number.POSITIVE_INFINITY;
      most = Math.max(most, whole.times(vectors).minus(scaled), vectors.transposed.times(vectors).minus(identity(n)));
    } else if (fn === 'svd') {
      const u = new View(m, n, (i, j) => actual.at(i, j));
      const vh = new View(n, n, (i, j) => actual.at(m + 1 + i, j));
      const scaled = new View(m, n, (i, j) => u.at(i, j) * actual.at(m, j));
      for (let j = 0; j < n; j++) most = Math.max(most, Math.abs(actual.at(m, j) - wanted.at(m, j)));
      for (let j = 1; j < n; j++) if (actual.at(m, j) > actual.at(m, j - 1)) most = Number.POSITIVE_INFINITY;
      most = Math.max(
        most,
        scaled.times(vh).minus(a),
        u.transposed.times(u).minus(identity(n)),
        vh.times(vh.transposed).minus(identity(n)),
      );
    } else most = Math.max(most, actual.minus(wanted));
  }
  return most;
}
