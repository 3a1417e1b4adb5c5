import { describe, expect, it } from 'vitest';
import { evaluateNodes } from '../../src/engine/reference/index.js';
import {
  DTypeError,
  dot,
  leaf,
  type Node,
  printGraph,
  reshape,
  routine,
  type Shape,
  ShapeError,
  simplify,
  sizeOf,
  slice,
  transposeLast,
  verifyGraph,
} from '../../src/graph/index.js';

const values = new Map<Node, Float32Array>();

function leafOf(shape: Shape, data: readonly number[]): Node {
  const node = leaf({ shape, dtype: 'f32' });
  values.set(node, Float32Array.from(data));
  return node;
}

function matrix(shape: Shape, seed = 1): Node {
  let state = seed;
  const data = Array.from({ length: sizeOf(shape) }, () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647) * 4 - 2;
  });
  return leafOf(shape, data);
}

const numbers = (node: Node): number[] => {
  verifyGraph([node]);
  return [...evaluateNodes(simplify([node]), values)[0]!];
};

const close = (a: readonly number[], b: readonly number[]): void => {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThan(2e-5);
  });
};

/** Rows from..to and columns from..to of matrices. */
function part(x: Node, rows: readonly [number, number], columns: readonly [number, number]): Node {
  const batch = x.shape.slice(0, -2);
  const start = [...batch.map(() => 0), rows[0], columns[0]];
  return slice(x, start, [...batch, rows[1] - rows[0], columns[1] - columns[0]]);
}

const eye = (batch: number, n: number): number[] =>
  Array.from({ length: batch * n * n }, (_, i) => Number(Math.floor(i / n) % n === i % n));

const symmetric = (batch: number, n: number): Node => {
  const x = matrix([batch, n, n]);
  return dot(x, transposeLast(x));
};

describe.each([1, 2, 5, 8])('routines of %i x %i', (n) => {
  it('cholesky multiplies back, with zeros above the diagonal', () => {
    const a = symmetric(2, n);
    const l = routine({ fn: 'cholesky' }, [a]);
    close(numbers(dot(l, transposeLast(l))), numbers(a));
    numbers(l).forEach((x, i) => {
      if (i % n > Math.floor(i / n) % n) expect(x).toBe(0);
    });
  });

  it.each([
    [n, n],
    [n, n + 2],
    [n + 2, n],
  ])('lu of %i x %i multiplies back to the exchanged rows', (rows, columns) => {
    const a = matrix([rows, columns]);
    const packed = numbers(routine({ fn: 'lu' }, [a]));
    const at = (i: number, j: number): number => packed[i * (columns + 1) + j]!;
    const order = Array.from({ length: rows }, (_, i) => i);
    for (let i = 0; i < rows; i++) {
      const pivot = at(i, columns);
      if (i >= Math.min(rows, columns)) expect(pivot).toBe(i);
      [order[i], order[pivot]] = [order[pivot]!, order[i]!];
    }
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k <= Math.min(i, j); k++) sum += (k === i ? 1 : at(i, k)) * at(k, j);
        expect(sum).toBeCloseTo(values.get(a)![order[i]! * columns + j]!, 5);
        if (i > j) expect(Math.abs(at(i, j))).toBeLessThanOrEqual(1);
      }
    }
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('triangularSolve undoes the product, kind %i', (kind) => {
    const [lower, unitDiagonal, transpose] = [kind & 1, kind & 2, kind & 4].map(Boolean) as [boolean, boolean, boolean];
    const raw = [...values.get(matrix([n, n]))!];
    // NaN where it must not be read.
    const entry = (i: number, j: number, unread: number): number =>
      i === j ? (unitDiagonal ? unread : 3 + raw[i * n + j]!) : lower === i > j ? raw[i * n + j]! / 2 : unread;
    const cells = (unread: (i: number, j: number) => number): number[] =>
      raw.map((_, at) => entry(Math.floor(at / n), at % n, unread(Math.floor(at / n), at % n)));
    const given = leafOf(
      [n, n],
      cells(() => Number.NaN),
    );
    const whole = leafOf(
      [n, n],
      cells((i, j) => Number(i === j)),
    );
    const b = matrix([n, 3], 7);
    const x = routine({ fn: 'triangularSolve', lower, unitDiagonal, transpose }, [given, b]);
    close(numbers(dot(transpose ? transposeLast(whole) : whole, x)), numbers(b));
  });

  it.each([
    [n, n],
    [n, n + 2],
    [n + 2, n],
  ])('qr of %i x %i multiplies back, Q is orthogonal, R triangular', (rows, columns) => {
    const k = Math.min(rows, columns);
    const a = matrix([3, rows, columns]);
    const packed = routine({ fn: 'qr' }, [a]);
    const q = part(packed, [0, rows], [0, k]);
    const r = part(packed, [0, k], [k, k + columns]);
    close(numbers(dot(q, r)), numbers(a));
    close(numbers(dot(transposeLast(q), q)), eye(3, k));
    numbers(r).forEach((x, i) => {
      if (Math.floor(i / columns) % k > i % columns) expect(x).toBe(0);
    });
  });

  it('eigh gives ascending eigenvalues with orthogonal vectors', () => {
    const a = symmetric(2, n);
    const packed = routine({ fn: 'eigh' }, [a]);
    const v = part(packed, [1, n + 1], [0, n]);
    const w = numbers(part(packed, [0, 1], [0, n]));
    close(numbers(dot(transposeLast(v), v)), eye(2, n));
    const product = numbers(dot(dot(transposeLast(v), a), v));
    close(
      product,
      eye(2, n).map((one, i) => one * w[Math.floor(i / (n * n)) * n + (i % n)]!),
    );
    for (let i = 1; i < n; i++) expect(w[i]).toBeGreaterThanOrEqual(w[i - 1]!);
  });

  it.each([n, n + 3])('svd multiplies back, of %i rows', (rows) => {
    const a = matrix([rows, n]);
    const packed = routine({ fn: 'svd' }, [a]);
    const u = part(packed, [0, rows], [0, n]);
    const vh = part(packed, [rows + 1, rows + 1 + n], [0, n]);
    const s = numbers(part(packed, [rows, rows + 1], [0, n]));
    const product = numbers(dot(dot(transposeLast(u), a), transposeLast(vh)));
    close(
      product,
      eye(1, n).map((one, i) => one * s[i % n]!),
    );
    close(numbers(dot(transposeLast(u), u)), eye(1, n));
    close(numbers(dot(vh, transposeLast(vh))), eye(1, n));
    s.forEach((x, i) => {
      expect(x).toBeGreaterThanOrEqual(s[i + 1] ?? 0);
    });
  });
});

describe('routines on special matrices', () => {
  it('cholesky is NaN from where a matrix is not positive definite', () => {
    const found = numbers(routine({ fn: 'cholesky' }, [leafOf([2, 2], [1, 2, 2, 1])]));
    expect(found).toEqual([1, 0, 2, Number.NaN]);
  });

  it('svd of a singular matrix has orthogonal vectors all the same', () => {
    const a = leafOf([3, 3], [1, 2, 3, 2, 4, 6, 0, 0, 0]);
    const u = part(routine({ fn: 'svd' }, [a]), [0, 3], [0, 3]);
    close(numbers(dot(transposeLast(u), u)), eye(1, 3));
  });

  it('lu takes the first of equal pivots and goes over a column of zeros', () => {
    const found = numbers(routine({ fn: 'lu' }, [leafOf([2, 3], [0, 1, 2, 0, -1, 4])]));
    expect(found).toEqual([0, 1, 2, 0, 0, -1, 4, 1]);
  });

  it('takes empty batches and matrices', () => {
    expect(numbers(routine({ fn: 'eigh' }, [leafOf([0, 3, 3], [])]))).toEqual([]);
    expect(numbers(routine({ fn: 'qr' }, [leafOf([0, 3], [])]))).toEqual([]);
  });
});

describe('the primitive', () => {
  const a = matrix([3, 4]);
  it.each([
    ['cholesky', () => routine({ fn: 'cholesky' }, [a])],
    ['eigh', () => routine({ fn: 'eigh' }, [a])],
    ['svd', () => routine({ fn: 'svd' }, [a])],
    ['qr', () => routine({ fn: 'qr' }, [reshape(a, [12])])],
    ['triangularSolve', () => routine({ fn: 'triangularSolve' }, [matrix([2, 2]), matrix([3, 1])])],
    ['triangularSolve', () => routine({ fn: 'triangularSolve' }, [matrix([2, 2])])],
  ])('%s refuses matrices that do not fit', (_, build) => {
    expect(build).toThrow(ShapeError);
  });

  it('refuses integers', () => {
    expect(() => routine({ fn: 'lu' }, [leaf({ shape: [2, 2], dtype: 'i32' })])).toThrow(DTypeError);
  });

  it('prints and merges by function and attributes', () => {
    const x = matrix([2, 2]);
    const solve = (lower: boolean): Node =>
      routine({ fn: 'triangularSolve', lower, unitDiagonal: false, transpose: false }, [x, x]);
    const [first, second, third] = simplify([solve(true), solve(true), solve(false)]);
    expect(first).toBe(second);
    expect(first).not.toBe(third);
    expect(printGraph([solve(true)])).toContain('triangularSolve %0, %0 lower=true');
  });
});
