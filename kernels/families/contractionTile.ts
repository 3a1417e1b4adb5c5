import type { ContractionKernel, Expr, Index, IndexVar } from '../ir.js';
import { affine } from '../render/affine.js';
import { expressionsOf } from './affine.js';

/** Points of the tiles: rows are tile * tm + i, columns tile * tn + j, and steps of k are numbers. */
export class TilePoints {
  readonly tileM: IndexVar;
  readonly tileN: IndexVar;

  constructor(
    private readonly kernel: ContractionKernel,
    private readonly tm: number,
    private readonly tn: number,
  ) {
    this.tileM = { name: 'tileM', extent: kernel.m.extent / tm };
    this.tileN = { name: 'tileN', extent: kernel.n.extent / tn };
  }

  /** What the variables of the contraction are at a row, a column and a step. */
  at(i: number, j: number, step: number): ReadonlyMap<IndexVar, Index> {
    const { m, n, k } = this.kernel;
    const point = (tile: IndexVar, size: number, offset: number): Index => ({
      kind: 'add',
      a: { kind: 'mul', a: { kind: 'var', v: tile }, b: size },
      b: { kind: 'const', value: offset },
    });
    return new Map([
      [m, point(this.tileM, this.tm, i)],
      [n, point(this.tileN, this.tn, j)],
      [k, { kind: 'const', value: step }],
    ]);
  }
}

/** How many different elements the invocations of such tiles read, where each of them reads what several outputs need once. */
export function readsOfTile(kernel: ContractionKernel, tm: number, tn: number): number {
  const points = new TilePoints(kernel, tm, tn);
  const read = new Set<string>();
  const note = (loads: readonly (Expr & { kind: 'load' })[], i: number, j: number, step: number): void => {
    const at = points.at(i, j, step);
    for (const { buffer, index } of loads) read.add(`${buffer} ${affine(index, (v) => at.get(v)).key}`);
  };
  const [ofA, ofB] = [kernel.a, kernel.b].map((root) => expressionsOf(root).filter((e) => e.kind === 'load'));
  for (let step = 0; step < kernel.k.extent; step++) {
    for (let i = 0; i < tm; i++) note(ofA!, i, 0, step);
    for (let j = 0; j < tn; j++) note(ofB!, 0, j, step);
  }
  return read.size;
}
