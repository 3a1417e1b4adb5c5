import type { ContractionKernel, Expr, Index, IndexVar } from '../../ir.js';
import type { Substitution } from '../affine.js';
import {
  type BlockVars,
  blockVars,
  type Extents,
  PANEL,
  type Panels,
  paddedColumns,
  panelsOf,
  type Tiling,
} from './contractionTiling.js';
import { type Block, i32, type Local, minU, op, select, type Value } from './encoder.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import type { KernelFunction } from './kernel-module.js';
import type { WasmScope } from './scope.js';

/** A contraction cut into blocks: its variables in terms of blocks and places inside of them. */
export class Blocks {
  readonly vars: BlockVars;
  /** m, n and k by the variables of the blocks. */
  readonly indices: ReadonlyMap<IndexVar, Index>;
  /** Blocks along batch, splits, columns and rows, the last changing fastest. */
  readonly grid: readonly IndexVar[];
  /** Several rows of columns follow each other without padding. */
  readonly flat: boolean;
  /** Register blocks along the columns, but for the last block of a row (or the last rows). */
  readonly panels: Panels;
  readonly lastPanels: Panels;
  /** Columns of the last block of a row. */
  readonly lastColumns: number;
  readonly lastRows: number;
  readonly lastSteps: number;
  readonly stepBlocksOfSplit: number;
  /** Columns that sums of a block take up for each row. */
  readonly pitch: number;

  constructor(
    readonly kernel: ContractionKernel,
    readonly extents: Extents,
    readonly tiling: Tiling,
  ) {
    const vars = blockVars(extents, tiling);
    this.vars = vars;
    const { rows, lines, columns, steps } = tiling;
    const line = plus(times(variable(vars.lineBlock), lines), variable(vars.line));
    const column = plus(times(variable(vars.columnBlock), columns), variable(vars.column));
    this.indices = new Map([
      [kernel.m, plus(times(variable(vars.rowBlock), rows), variable(vars.row))],
      [kernel.n, plus(times(line, extents.width), column)],
      [kernel.k, plus(times(variable(vars.stepBlock), steps), variable(vars.step))],
    ]);
    this.grid = [kernel.batch, vars.split, vars.lineBlock, vars.columnBlock, vars.rowBlock];
    this.lastColumns = extents.width - (vars.columnBlock.extent - 1) * columns;
    this.lastRows = extents.m - (vars.rowBlock.extent - 1) * rows;
    this.lastSteps = extents.k - (vars.stepBlock.extent - 1) * steps;
    this.flat = lines > 1;
    this.panels = panelsOf(lines * columns);
    this.lastPanels = panelsOf(this.flat ? this.lastLines * columns : this.lastColumns);
    this.stepBlocksOfSplit = Math.ceil(vars.stepBlock.extent / tiling.splits);
    this.pitch = Math.max(paddedColumns(this.panels), paddedColumns(this.lastPanels));
  }

  get count(): number {
    return this.grid.reduce((product, { extent }) => product * extent, 1);
  }

  get tasks(): number {
    return Math.ceil(this.count / this.tiling.group);
  }

  /** Rows of columns in the last block of them. */
  get lastLines(): number {
    return this.extents.n / this.extents.width - (this.vars.lineBlock.extent - 1) * this.tiling.lines;
  }

  /** A column's place in its block. */
  get columnIndex(): Index {
    const { vars, tiling } = this;
    return plus(times(variable(vars.line), tiling.columns), variable(vars.column));
  }

  /** How the variables of the kernel read in a block. */
  get substitution(): Substitution {
    return (v) => this.indices.get(v);
  }
}

/** A block where it is being computed. */
export interface BlockPlace {
  readonly scope: WasmScope;
  /** Rows, rows of columns and columns in it. */
  readonly rows: Value | number;
  readonly lines: Value | number;
  /** Whether the block is the last along its rows, columns or row of columns; null where all are equal. */
  readonly isLastRows: Value | null;
  readonly isLastColumns: Value | null;
  /** Whether it has the last panels. */
  readonly isLastPanels: Value | null;
}

/** Runs `body` for the blocks of tasks begin … end - 1; those that differ in `without` alone count as one. */
export function forBlocks(
  f: KernelFunction,
  blocks: Blocks,
  body: (place: BlockPlace, values: BlockValues) => void,
  without?: IndexVar,
): void {
  const { tiling } = blocks;
  const grid = blocks.grid.filter((v) => v !== without);
  const count = grid.reduce((product, { extent }) => product * extent, 1);
  forNumbers(f, count, tiling.group, (inner, number) => {
    const values = decode(inner, number, grid);
    const scope = f.scope({ vars: values, indices: blocks.indices }, inner);
    body(placeOf(blocks, scope, values), values);
  });
}

/** Runs `body` for numbers begin * each … end * each - 1, as far as there are that many. */
export function forNumbers(
  f: KernelFunction,
  count: number,
  each: number,
  body: (block: Block, number: Local) => void,
): void {
  const { body: block } = f;
  let [first, end] = [f.begin, f.end];
  if (each > 1) {
    first = block.let(op('i32.mul', f.begin, i32(each)));
    const beyond = block.let(op('i32.mul', f.end, i32(each)));
    end = block.let(minU(beyond, i32(count)));
  }
  const number = f.fn.local('i32');
  block.for(number, first, end, 1, (inner) => body(inner, number));
}

export type BlockValues = ReadonlyMap<IndexVar, Value | number>;

/** The values of variables from the row-major number of a point; those of one value are numbers. */
export function decode(block: Block, number: Local, vars: readonly IndexVar[]): Map<IndexVar, Value | number> {
  const values = new Map<IndexVar, Value | number>();
  let rest: Local = number;
  const many = vars.filter(({ extent }) => extent > 1);
  for (const v of vars) if (v.extent <= 1) values.set(v, 0);
  for (let i = many.length - 1; i >= 0; i--) {
    const v = many[i]!;
    if (i === 0) {
      values.set(v, rest);
    } else {
      const above = block.let(op('i32.div_u', rest, i32(v.extent)));
      values.set(v, block.let(op('i32.sub', rest, op('i32.mul', above, i32(v.extent)))));
      rest = above;
    }
  }
  return values;
}

function placeOf(blocks: Blocks, scope: WasmScope, values: BlockValues): BlockPlace {
  const { vars, tiling } = blocks;
  const { block } = scope;
  const lastOf = (v: IndexVar): Value | null => {
    const value = values.get(v)!;
    return typeof value === 'number' ? null : block.let(op('i32.eq', value, i32(v.extent - 1)));
  };
  const [isLastRows, isLastLines, isLastColumns] = [
    lastOf(vars.rowBlock),
    lastOf(vars.lineBlock),
    lastOf(vars.columnBlock),
  ];
  return {
    scope,
    rows: ofLastOr(block, isLastRows, blocks.lastRows, tiling.rows),
    lines: ofLastOr(block, isLastLines, blocks.lastLines, tiling.lines),
    isLastRows,
    isLastColumns,
    isLastPanels: blocks.flat ? isLastLines : isLastColumns,
  };
}

/** A number of the last of some things, or of the others; `isLast` is null where it is known to be the last. */
export const ofLastOr = (block: Block, isLast: Value | null, ofLast: number, other: number): Value | number =>
  isLast === null || ofLast === other ? ofLast : block.let(select(i32(ofLast), i32(other), isLast));

/** Appends to `block` where the condition holds (null: always). */
export function when(block: Block, condition: Value | null, body: (inner: Block) => void): void {
  if (condition === null) body(block);
  else block.if(condition, body);
}

/**
 * Runs `body` over the columns of a row in vectors: pairs that make up whole panels, then what the last block has beyond them.
 * `scope` knows everything of the block but the column.
 */
export function forColumns(
  blocks: Blocks,
  place: BlockPlace,
  scope: WasmScope,
  body: (steps: readonly WasmScope[], isRest: boolean) => void,
): void {
  const { column } = blocks.vars;
  const { isLastColumns } = place;
  const inPanels = (columns: number) => columns - (columns % PANEL);
  const to = ofLastOr(scope.block, isLastColumns, inPanels(blocks.lastColumns), inPanels(blocks.tiling.columns));
  scope.vectorLoop(column, 0, to, 2, (_, steps) => body(steps, false));
  forRest(blocks, place, scope, body);
}

/** The columns of the last block that fill no panel. */
function forRest(
  blocks: Blocks,
  { isLastColumns }: BlockPlace,
  scope: WasmScope,
  body: (steps: readonly WasmScope[], isRest: boolean) => void,
): void {
  const { lastColumns, vars } = blocks;
  if (lastColumns % PANEL === 0) return;
  when(scope.block, isLastColumns, (block) => {
    const rest = indexVar('rest', lastColumns);
    const inside = scope.child({ indices: new Map([[vars.column, variable(rest)]]) }, block);
    inside.vectorRest(rest, lastColumns - (lastColumns % PANEL), (_, steps) => body(steps, true));
  });
}

/** The epilogue over a block whose sums are in memory. */
export function finishBlock(blocks: Blocks, place: BlockPlace, sum: Expr): void {
  const { kernel, vars } = blocks;
  place.scope.loop(vars.row, 0, place.rows, (row) => {
    row.loop(vars.line, 0, place.lines, (line) => {
      forColumns(blocks, place, line, (steps) => {
        for (const step of steps) {
          step.results.set(kernel.acc, step.named(sum));
          step.stores(kernel.epilogue);
        }
      });
    });
  });
}
