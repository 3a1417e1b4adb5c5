import * as tl from 'tiller';
import * as linalg from 'tiller/linalg';
import { describe, expect, it } from 'vitest';
import { ints, js, type Mistake, throwsEach, z } from './mistakes.js';

const functions = linalg as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>;

/** What comes after the matrix, so that the call is right but for the matrix. */
const REST: Readonly<Record<string, readonly unknown[]>> = {
  solve: [z(3, 2)],
  solveTriangular: [z(3, 2), { upper: true }],
  luSolve: [ints(3), z(3, 2)],
  lstsq: [z(3, 2)],
  matrixPower: [2],
};

const SQUARE = 'cholesky solve solveTriangular luSolve inv det slogdet eigh eigvalsh matrixPower matrixExp'.split(' ');
const ANY = 'lu luFactor qr svd svdvals pinv matrixRank matrixNorm lstsq cond'.split(' ');

const matrixMistakes = (op: string, more: readonly Mistake[] = []): Mistake[] => {
  const call = (x: unknown) => () => functions[op]!(x, ...(REST[op] ?? []));
  return [
    [`${op} of a vector`, call(z(3)), tl.ShapeError, `[${op}] not a matrix: [3] (expected [..., m, n])`],
    [`${op} of one number`, call(z()), tl.ShapeError, `[${op}] not a matrix: []`],
    [`${op} of integers`, call(ints(3, 3)), tl.DTypeError, `[${op}] dtype not allowed: i32 (expected f32)`],
    [`${op} of an array`, call([[1]]), tl.ArgumentError, `[${op}] not a tensor: an array`],
    ...more,
  ];
};

describe('matrices', () => {
  throwsEach(
    SQUARE.flatMap((op) =>
      matrixMistakes(op, [
        [
          `${op} not square`,
          () => functions[op]!(z(2, 3, 4), ...(REST[op] ?? [])),
          tl.ShapeError,
          `[${op}] not square: [2, 3, 4] (expected [..., n, n])`,
        ],
      ]),
    ),
  );
  throwsEach(ANY.flatMap((op) => matrixMistakes(op)));

  it('are taken as right where nothing is wrong with them', () => {
    for (const op of [...SQUARE, ...ANY]) expect(() => functions[op]!(z(3, 3), ...(REST[op] ?? []))).not.toThrow();
  });
});

describe('right-hand sides', () => {
  throwsEach([
    [
      'solve',
      () => linalg.solve(z(3, 3), z(2, 2)),
      tl.ShapeError,
      '[solve] right-hand side does not fit: [3, 3] and [2, 2]',
    ],
    ['solve of a vector', () => linalg.solve(z(3, 3), z(2)), tl.ShapeError, '[solve] right-hand side does not fit'],
    ['solve of a number', () => linalg.solve(z(3, 3), z()), tl.ShapeError, '[solve] not a matrix: []'],
    ['solve of integers', () => linalg.solve(z(3, 3), ints(3, 2)), tl.DTypeError, '[solve] dtype not allowed: i32'],
    [
      'solve on the right',
      () => linalg.solve(z(3, 3), z(3), { left: false }),
      tl.ShapeError,
      '[solve] vector on the right',
    ],
    ['solve of sizes', () => linalg.solve(z(3, 3), z(3, 2), { left: false }), tl.ShapeError, '(expected [..., k, 3])'],
    ['solve of batches', () => linalg.solve(z(2, 3, 3), z(4, 3, 1)), tl.ShapeError, '[solve] shapes do not broadcast'],
    [
      'solveTriangular',
      () => linalg.solveTriangular(z(3, 3), z(2, 2), { upper: true }),
      tl.ShapeError,
      '[solveTriangular] right-hand',
    ],
    [
      'solveTriangular of nothing',
      () => linalg.solveTriangular(z(3, 3), z(3, 2), js(undefined)),
      tl.ArgumentError,
      '[solveTriangular] upper is not given',
    ],
    ['choleskySolve', () => linalg.choleskySolve(z(2, 2), z(3, 3)), tl.ShapeError, '[choleskySolve] right-hand side'],
    [
      'choleskySolve not square',
      () => linalg.choleskySolve(z(2, 2), z(2, 3)),
      tl.ShapeError,
      '[choleskySolve] not square',
    ],
    ['luSolve', () => linalg.luSolve(z(3, 3), ints(3), z(2, 2)), tl.ShapeError, '[luSolve] right-hand side'],
    [
      'luSolve with f32 pivots',
      () => linalg.luSolve(z(3, 3), z(3), z(3, 2)),
      tl.DTypeError,
      '[luSolve] pivots are f32',
    ],
    [
      'luSolve with few pivots',
      () => linalg.luSolve(z(3, 3), ints(2), z(3, 2)),
      tl.ShapeError,
      '[luSolve] pivots are [2] (expected [3])',
    ],
    ['lstsq', () => linalg.lstsq(z(4, 3), z(3, 2)), tl.ShapeError, '[lstsq] rows differ: [4, 3] and [3, 2]'],
    [
      'lstsq driver',
      () => linalg.lstsq(z(4, 3), z(4, 2), { driver: js('gelsx') }),
      tl.ArgumentError,
      '[lstsq] driver is gelsx',
    ],
    ['lstsq rcond', () => linalg.lstsq(z(4, 3), z(4, 2), { rcond: -1 }), tl.ArgumentError, '[lstsq] tolerances are'],
    ['tensorsolve', () => linalg.tensorsolve(z(2, 3, 5), z(2, 3)), tl.ShapeError, '[tensorsolve] not square'],
    ['tensorinv', () => linalg.tensorinv(z(2, 3, 5)), tl.ShapeError, '[tensorinv] not square: [2, 3] and [5]'],
    ['tensorinv ind', () => linalg.tensorinv(z(2, 3, 6), 0), tl.ArgumentError, '[tensorinv] ind is 0'],
  ]);
});

describe('options', () => {
  throwsEach([
    [
      'qr mode',
      () => linalg.qr(z(3, 3), js('full')),
      tl.ArgumentError,
      '[qr] mode is full (expected reduced, complete or r)',
    ],
    ['eigh UPLO', () => linalg.eigh(z(3, 3), js('X')), tl.ArgumentError, '[eigh] UPLO is X (expected L or U)'],
    ['eigvalsh UPLO', () => linalg.eigvalsh(z(3, 3), js(1)), tl.ArgumentError, '[eigvalsh] UPLO is 1'],
    ['lu without pivots', () => linalg.lu(z(3, 3), { pivot: false }), tl.UnsupportedError, '[lu] pivot is false'],
    [
      'luFactor without pivots',
      () => linalg.luFactor(z(3, 3), { pivot: false }),
      tl.UnsupportedError,
      '[luFactor] pivot is false',
    ],
    [
      'pinv atol',
      () => linalg.pinv(z(3, 3), { atol: Number.NaN }),
      tl.ArgumentError,
      '[pinv] tolerances are NaN and 0',
    ],
    ['pinv hermitian', () => linalg.pinv(z(3, 4), { hermitian: true }), tl.ShapeError, '[pinv] not square'],
    [
      'matrixRank rtol',
      () => linalg.matrixRank(z(3, 3), { rtol: -1 }),
      tl.ArgumentError,
      '[matrixRank] tolerances are 0 and -1',
    ],
    [
      'matrixRank hermitian',
      () => linalg.matrixRank(z(3, 4), { hermitian: true }),
      tl.ShapeError,
      '[matrixRank] not square',
    ],
    [
      'matrixPower',
      () => linalg.matrixPower(z(3, 3), 0.5),
      tl.ArgumentError,
      '[matrixPower] n is 0.5 (expected an integer)',
    ],
    ['matrixNorm ord', () => linalg.matrixNorm(z(3, 3), 3), tl.ArgumentError, '[matrixNorm] ord is 3'],
    ['matrixNorm name', () => linalg.matrixNorm(z(3, 3), js('max')), tl.ArgumentError, '[matrixNorm] ord is max'],
    ['matrixNorm axes', () => linalg.matrixNorm(z(3, 3), 1, [0, 0]), tl.ShapeError, '[matrixNorm] dim is 0,0'],
    ['matrixNorm outside', () => linalg.matrixNorm(z(3, 3), 1, [0, 2]), tl.ShapeError, '[matrixNorm] dim is 0,2'],
    ['matrixNorm one axis', () => linalg.matrixNorm(z(3, 3), 1, js(0)), tl.ShapeError, '[matrixNorm] dim is 0'],
    [
      'matrixNorm of nothing',
      () => linalg.matrixNorm(z(0, 0), 2),
      tl.ShapeError,
      '[matrixNorm] no elements: [0, 0], ord 2',
    ],
    ['vectorNorm ord', () => linalg.vectorNorm(z(3), js('fro')), tl.ArgumentError, '[vectorNorm] ord is fro'],
    [
      'vectorNorm of nothing',
      () => linalg.vectorNorm(z(0), Infinity),
      tl.ShapeError,
      '[vectorNorm] no elements: [0], ord Infinity',
    ],
    ['vectorNorm of integers', () => linalg.vectorNorm(ints(3)), tl.DTypeError, '[vectorNorm] dtype not allowed: i32'],
    ['norm of three axes', () => linalg.norm(z(2, 2, 2), 2), tl.ShapeError, '[norm] 3 axes of [2, 2, 2] with ord'],
    ['norm of a vector', () => linalg.norm(z(2), 'nuc'), tl.ArgumentError, '[norm] ord is nuc for vectors'],
    ['norm of integers', () => linalg.norm(ints(2)), tl.DTypeError, '[norm] dtype not allowed: i32'],
    ['cond not square', () => linalg.cond(z(3, 4), 1), tl.ShapeError, '[cond] not square'],
    ['cond ord', () => linalg.cond(z(3, 3), js('max')), tl.ArgumentError, '[matrixNorm] ord is max'],
    ['cond of nothing', () => linalg.cond(z(0, 0)), tl.ShapeError, '[cond] no elements: [0, 0]'],
    ['multiDot', () => linalg.multiDot([]), tl.ArgumentError, '[multiDot] no tensors given'],
  ]);
});
