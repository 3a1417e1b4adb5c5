import { type Shape, sizeOf, type TypedArray } from '../../graph/index.js';

/** A row-major matrix in float64. */
export class Dense {
  readonly data: Float64Array;

  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {
    this.data = new Float64Array(rows * columns);
  }

  at(row: number, column: number): number {
    return this.data[row * this.columns + column]!;
  }

  set(row: number, column: number, value: number): void {
    this.data[row * this.columns + column] = value;
  }

  swapRows(i: number, j: number): void {
    const row = this.data.slice(i * this.columns, (i + 1) * this.columns);
    this.data.copyWithin(i * this.columns, j * this.columns, (j + 1) * this.columns);
    this.data.set(row, j * this.columns);
  }

  copy(): Dense {
    const copy = new Dense(this.rows, this.columns);
    copy.data.set(this.data);
    return copy;
  }
}

export function identity(n: number): Dense {
  const out = new Dense(n, n);
  for (let i = 0; i < n; i++) out.set(i, i, 1);
  return out;
}

/** The matrix number `at` of a batch. */
export function denseOf(data: TypedArray, shape: Shape, at: number): Dense {
  const [rows, columns] = shape.slice(-2) as [number, number];
  const out = new Dense(rows, columns);
  const size = sizeOf(shape.slice(-2));
  out.data.set(data.subarray(at * size, (at + 1) * size));
  return out;
}
