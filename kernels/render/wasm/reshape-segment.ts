import type { Index, IndexVar, LoopStmt, StoreStmt } from '../../ir.js';
import { indicesBelow, pointsOf } from '../nest.js';
import { accessesOf, accessStep, rootsOfStatement, type WasmSegment } from './analysis.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import { splitLoops } from './split-vars.js';
import type { LoopTuning } from './tuning.js';

/** Rows of at least this many points that are no whole vectors are walked through one by one. */
const SHORTEST_ROW = 16;
/** Lines of a cache are 16 words long. */
const LINE = 16;

/** The points of an elementwise segment in another order, where the order of the output is a bad one. */
export function reshapeSegment(segment: WasmSegment, { leastTiled }: LoopTuning): WasmSegment {
  const { parallel, body } = segment;
  if (pointsOf(parallel) === 0 || body.some(({ kind }) => kind !== 'store')) return segment;
  const stores = body as readonly StoreStmt[];
  const { loops, indices } = splitLoops(parallel, [
    ...indicesBelow(stores.flatMap(rootsOfStatement)),
    ...stores.map(({ index }) => index),
  ]);
  if (loops.length < 2) return segment;
  const tiles = pointsOf(loops) < leastTiled ? null : inTiles(loops, stores, indices);
  return tiles ?? inRows(loops, stores, indices) ?? segment;
}

/** Loops over rows that are no whole vectors: else every vector would have to find out whether it goes over the end of a row. */
function inRows(
  loops: readonly IndexVar[],
  stores: readonly StoreStmt[],
  indices: ReadonlyMap<IndexVar, Index>,
): WasmSegment | null {
  const row = loops[loops.length - 1]!;
  if (row.extent % 4 === 0 || row.extent < SHORTEST_ROW) return null;
  const loop: LoopStmt = { kind: 'loop', vars: [row], body: stores };
  return { parallel: loops.slice(0, -1), body: [loop], indices };
}

/** Transpositions in tiles whose lines of input and output stay in the cache until all of their words are used. */
function inTiles(
  loops: readonly IndexVar[],
  stores: readonly StoreStmt[],
  indices: ReadonlyMap<IndexVar, Index>,
): WasmSegment | null {
  const accesses = stores.flatMap(accessesOf);
  const column = loops[loops.length - 1]!;
  const steps = (v: IndexVar) => accesses.map((access) => accessStep(access, v, indices));
  const alongColumn = steps(column);
  const row = loops.slice(0, -1).find((v) => {
    const along = steps(v);
    return along.some((step, i) => step === 1 && Math.abs(alongColumn[i] ?? 0) >= LINE);
  });
  if (!row) return null;
  const [height, width] = [tileOf(row.extent, 1), tileOf(column.extent, 4)];
  if (height < 4 || width < 4) return null;
  const all = new Map(indices);
  const split = (v: IndexVar, size: number): [IndexVar, IndexVar] => {
    const [outer, inner]: [IndexVar, IndexVar] = [
      indexVar(`${v.name}Tile`, v.extent / size),
      indexVar(`${v.name}In`, size),
    ];
    all.set(v, plus(times(variable(outer), size), variable(inner)));
    return [outer, inner];
  };
  const [rows, inRow] = split(row, height);
  const [columns, inColumn] = split(column, width);
  const others = loops.filter((v) => v !== row && v !== column);
  const loop: LoopStmt = { kind: 'loop', vars: [inRow, inColumn], body: stores };
  return { parallel: [...others, rows, columns], body: [loop], indices: all };
}

/** The largest part of an extent that is no longer than a line and a multiple of `unit`. */
function tileOf(extent: number, unit: number): number {
  for (let size = LINE; size >= unit; size--) if (extent % size === 0 && size % unit === 0) return size;
  return 1;
}
