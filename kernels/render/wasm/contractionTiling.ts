import type { IndexVar } from '../../ir.js';
import { indexVar } from './indexTerms.js';

/** Columns that a register block takes at once. */
export const PANEL = 8;

/** Points of a contraction, its columns in rows of `width`. */
export interface Extents {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly width: number;
}

/** How a contraction is cut into blocks: a block of rows of the left operand times a block of columns of the right one. */
export interface Tiling {
  readonly rows: number;
  /** Rows of columns in a block; where there are several, they are whole. */
  readonly lines: number;
  /** Columns in each of these rows; a multiple of the panel's unless it is all of them. */
  readonly columns: number;
  /** Steps of k whose operands are packed, or walked through, at a time; a multiple of 8 unless it is all of k. */
  readonly steps: number;
  /** Parts of k that are summed apart from each other and added at the end. */
  readonly splits: number;
  /** Blocks that make a task. */
  readonly group: number;
}

const MOST_ROWS = 256;
const MOST_STEPS = 448;
/** Where there are fewer tasks, threads may go without. */
const LEAST_TASKS = 8;
/** Multiplications that are worth a task of their own. */
const WORTH_A_TASK = 800_000;
/** Multiplications that keep a thread for longer than others should wait for it. */
const LONG_TASK = 30_000_000;
const MANY_TASKS = 64;

const ceilTo = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
/** The size of `extent` cut into as few equal parts as `most` allows. */
const evenly = (extent: number, most: number, multiple: number): number =>
  extent <= most ? extent : Math.min(extent, ceilTo(extent / Math.ceil(extent / most), multiple));

/** Chooses blocks by the shape alone: results must not depend on the machine. `wholeSteps`: parts of k are multiples of it. */
export function chooseTiling(extents: Extents, wholeSteps = 8): Tiling {
  const { batch, m, k, width } = extents;
  const lineCount = extents.n / width;
  let rows = evenly(m, MOST_ROWS, 4);
  let columns = evenly(width, rows > 128 ? 64 : rows > 64 ? 128 : 256, PANEL);
  let lines = columns < width ? 1 : Math.min(lineCount, Math.max(1, Math.floor(256 / ceilTo(width, 4))));
  const steps = evenly(k, Math.max(MOST_STEPS, wholeSteps), wholeSteps);
  const blocks = () => batch * Math.ceil(m / rows) * Math.ceil(lineCount / lines) * Math.ceil(width / columns);
  const work = () => rows * lines * columns * k;
  while (blocks() < LEAST_TASKS && work() > 2 * WORTH_A_TASK) {
    if (lines > 1 && lines * columns > 96) lines = Math.ceil(lines / 2);
    else if (lines === 1 && columns > 32) columns = Math.min(columns, ceilTo(columns / 2, PANEL));
    else if (rows > 128) rows = ceilTo(rows / 2, 4);
    else if (lines > 1) lines = Math.ceil(lines / 2);
    else if (rows > 64) rows = ceilTo(rows / 2, 4);
    else break;
  }
  // Equal shares, and lines that fill whole blocks wherever possible.
  lines = Math.ceil(lineCount / Math.ceil(lineCount / lines));
  // Sums of parts of k take memory: only where there are few of them.
  const parts = Math.ceil(k / steps);
  const forThreads = blocks() < LEAST_TASKS ? Math.ceil((2 * LEAST_TASKS) / blocks()) : 1;
  const forLength = blocks() < MANY_TASKS ? Math.ceil(work() / LONG_TASK) : 1;
  const worth = Math.floor((blocks() * work()) / WORTH_A_TASK);
  const wanted = Math.max(1, Math.min(Math.max(forThreads, forLength), worth, parts));
  const splits = Math.max(1, Math.ceil(parts / Math.ceil(parts / wanted)));
  const group = Math.max(1, Math.min(Math.floor(WORTH_A_TASK / 2 / work()), Math.ceil(blocks() / LEAST_TASKS)));
  return { rows, lines, columns, steps, splits, group: splits > 1 ? 1 : group };
}

/** A tiling with as many blocks in a task as are worth one, and smaller blocks where there would be too few. */
export function tasksOf({ batch, m, n, width, k }: Extents, tiling: Tiling): Tiling {
  const { rows } = tiling;
  let { lines, columns } = tiling;
  const lineCount = n / width;
  const blocks = () => batch * Math.ceil(m / rows) * Math.ceil(lineCount / lines) * Math.ceil(width / columns);
  const work = () => rows * lines * columns * Math.max(k, 1);
  while (blocks() < LEAST_TASKS && work() > WORTH_A_TASK / 4) {
    if (lines > 1) lines = Math.ceil(lines / 2);
    else if (columns > 2 * PANEL) columns = Math.min(columns, ceilTo(columns / 2, PANEL));
    else break;
  }
  const group = Math.max(1, Math.min(Math.floor(WORTH_A_TASK / 16 / work()), Math.ceil(blocks() / LEAST_TASKS)));
  return { ...tiling, lines, columns, group };
}

/** Register blocks along a row of columns: whole panels, of which the last may be partly empty, and perhaps half of one. */
export interface Panels {
  readonly whole: number;
  readonly half: boolean;
}

export function panelsOf(columns: number): Panels {
  const rest = columns % PANEL;
  return { whole: Math.floor(columns / PANEL) + Number(rest > PANEL / 2), half: rest > 0 && rest <= PANEL / 2 };
}

/** Columns that panels take up. */
export const paddedColumns = ({ whole, half }: Panels): number => PANEL * whole + (half ? PANEL / 2 : 0);

/** Variables of a block's place and of places inside of it. */
export interface BlockVars {
  readonly split: IndexVar;
  readonly rowBlock: IndexVar;
  readonly lineBlock: IndexVar;
  readonly columnBlock: IndexVar;
  readonly stepBlock: IndexVar;
  readonly row: IndexVar;
  readonly line: IndexVar;
  readonly column: IndexVar;
  readonly step: IndexVar;
}

export function blockVars({ m, n, k, width }: Extents, tiling: Tiling): BlockVars {
  const parts = Math.ceil(k / tiling.steps);
  return {
    split: indexVar('split', tiling.splits),
    rowBlock: indexVar('rowBlock', Math.ceil(m / tiling.rows)),
    lineBlock: indexVar('lineBlock', Math.ceil(n / width / tiling.lines)),
    columnBlock: indexVar('columnBlock', Math.ceil(width / tiling.columns)),
    stepBlock: indexVar('stepBlock', parts),
    row: indexVar('row', tiling.rows),
    line: indexVar('line', tiling.lines),
    column: indexVar('column', tiling.columns),
    step: indexVar('step', tiling.steps),
  };
}
