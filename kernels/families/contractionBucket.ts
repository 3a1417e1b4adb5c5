import type { ContractionKernel, Expr, IndexVar } from '../ir.js';
import { affineIn, expressionsOf } from './affine.js';
import { type ContractionSchedule, widestLoad } from './contractionSchedule.js';
import { costOf, splitByK } from './splitByK.js';

/** Of the form of buckets, and of what a schedule means: what was measured under another one is not used. */
const TUNING_SCHEMA = 1;

/** Extents up to here are fitted by tiles of their own. */
const EXACT_UP_TO = 16;
/** Vectors hold four elements, and tiles are multiples of eight of them. */
const MOST_ALIGNMENT = 8;

const powerAbove = (x: number): number => 2 ** Math.ceil(Math.log2(x));
const alignmentOf = (x: number): number => Math.min(MOST_ALIGNMENT, x & -x);
/** Classes of costs: halves of powers of two would tell apart what runs alike. */
const weightOf = (cost: number): number => Math.round(Math.log2(1 + cost));

function extentBucket(extent: number): string {
  return extent <= EXACT_UP_TO ? `${extent}` : `<=${powerAbove(extent)}/${alignmentOf(extent)}`;
}

/** How an operand lies in memory: the variable along which neighbours are read, how wide, how many loads, and what they are put through. */
function operandBucket(kernel: ContractionKernel, operand: 'a' | 'b'): string {
  const row = operand === 'a' ? kernel.m : kernel.n;
  const vars = [kernel.batch, row, kernel.k];
  const layouts = expressionsOf(kernel[operand]).flatMap((expr) => {
    if (expr.kind !== 'load') return [];
    const strides = affineIn(expr.index, vars)?.strides;
    if (strides === undefined) return ['gather'];
    const [batch, along, deep] = strides as [number, number, number];
    const axis = along === 1 ? 'row' : deep === 1 ? 'k' : 'far';
    return [`${axis}${batch === 0 && kernel.batch.extent > 1 ? '*' : ''}`];
  });
  return `${layouts.join('+') || 'none'}:${widestLoad(kernel, operand)}:${prologueWeight(kernel[operand], row, kernel.k)}`;
}

const prologueWeight = (operand: Expr, row: IndexVar, k: IndexVar): number =>
  weightOf(costOf(splitByK(operand, row, k).expr));

/**
 * A text that kernels share for which one schedule is likely the best: dtype; m, n, k and the batch, up to the power of two above them,
 * with the power of two that divides them; layout of both operands; weight of what is done before and after.
 */
export function contractionBucket(kernel: ContractionKernel): string {
  const { batch, m, n, k, epilogue } = kernel;
  const after = epilogue.reduce((sum, { value }) => sum + costOf(value), 0);
  const size = (v: IndexVar): string => extentBucket(v.extent);
  const batches = batch.extent <= 1 ? 1 : powerAbove(batch.extent);
  return [
    `contraction v${TUNING_SCHEMA} ${kernel.dtype}`,
    `m${size(m)} n${size(n)} k${size(k)} batch<=${batches}`,
    `a ${operandBucket(kernel, 'a')}`,
    `b ${operandBucket(kernel, 'b')}`,
    `stores ${epilogue.length}, weight ${weightOf(after)}`,
  ].join(', ');
}

/** Tiles are fitted to extents: those of two kernels of a bucket may differ by so much (as a factor). */
const ALIKE = 1.5;

/**
 * The schedule of `space` that a kernel's bucket was found to run best with; null where the space has none like it. Tiles may differ
 * by what fitting them to other extents changes, all else is the same.
 */
export function scheduleLike(
  space: readonly ContractionSchedule[],
  wanted: Readonly<Record<string, unknown>>,
): ContractionSchedule | null {
  let nearest: ContractionSchedule | null = null;
  let distance = Infinity;
  for (const schedule of space) {
    const rest = Object.entries(schedule).filter(([field]) => field !== 'tm' && field !== 'tn');
    if (rest.length + 2 !== Object.keys(wanted).length) continue;
    if (!rest.every(([field, value]) => wanted[field] === value)) continue;
    const factors = [ratio(schedule.tm, wanted.tm), ratio(schedule.tn, wanted.tn)];
    const apart = factors[0]! * factors[1]!;
    if (!factors.every((factor) => factor <= ALIKE) || apart >= distance) continue;
    [nearest, distance] = [schedule, apart];
  }
  return nearest;
}

function ratio(a: number, b: unknown): number {
  return typeof b === 'number' && b > 0 ? Math.max(a / b, b / a) : Infinity;
}
