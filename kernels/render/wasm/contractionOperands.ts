import type { ContractionKernel, Expr, Index, IndexVar } from '../../ir.js';
import { type Affine, type Atom, affine, type Substitution } from '../affine.js';
import { indicesBelow } from '../nest.js';
import { loadsBelow } from '../uses.js';
import { indexVar, plus, times, variable } from './indexTerms.js';

const UNCHANGED: Substitution = () => undefined;

/** True if the form changes with `v`; `substitution` is what it was made with. */
export const dependsOn = ({ terms }: Affine, v: IndexVar, substitution = UNCHANGED): boolean =>
  terms.some(({ atom }) => atomDependsOn(atom, v, substitution));

function atomDependsOn(atom: Atom, v: IndexVar, substitution: Substitution): boolean {
  if (atom.kind === 'var') return atom.v === v;
  // An index from memory keeps its own variables, whatever the form around it was given for them.
  return atom.kind === 'value' ? exprDependsOn(atom.expr, v, substitution) : dependsOn(atom.a, v, substitution);
}

/** True if an expression changes with `v`. */
export const exprDependsOn = (expr: Expr, v: IndexVar, substitution = UNCHANGED): boolean =>
  indicesBelow([expr]).some((index) => dependsOn(affine(index, substitution), v, substitution));

/** How far a form moves with `v`, or null where the steps differ; `substitution` is what it was made with. */
export function stepOf({ terms }: Affine, v: IndexVar, substitution = UNCHANGED): number | null {
  let step = 0;
  for (const { atom, coefficient } of terms) {
    if (atom.kind === 'var' && atom.v === v) step += coefficient;
    else if (atom.kind !== 'var' && atomDependsOn(atom, v, substitution)) return null;
  }
  return step;
}

/** An operand that lies in a buffer as the multiplication reads it. */
export interface DirectOperand {
  readonly buffer: number;
  readonly index: Index;
  /** Elements from row (of the left operand; column of the right one) to row, and from step to step of k. */
  readonly row: number;
  readonly step: number;
  /** Elements from four rows to the next four. */
  readonly fourRows: number;
}

/** The operand as elements of a buffer at constant strides along `row` and `k`, or null where it has to be computed. */
export function directOperand(expr: Expr, row: IndexVar, k: IndexVar): DirectOperand | null {
  if (expr.kind !== 'load' || expr.dtype === 'bool' || expr.clamp) return null;
  const form = affine(expr.index, UNCHANGED);
  const [perRow, perStep] = [stepOf(form, row), stepOf(form, k)];
  if (perRow === null || perStep === null || perRow < 0 || perStep <= 0) return null;
  return { buffer: expr.buffer, index: expr.index, row: perRow, step: perStep, fourRows: 4 * perRow };
}

/** Which of two variables an expression's memory is contiguous in: the lanes that it is best computed in. */
export function lanesAlong(expr: Expr, first: IndexVar, second: IndexVar, substitution: Substitution): IndexVar {
  let score = 0;
  for (const { index } of loadsBelow([expr])) {
    const form = affine(index, substitution);
    const reads = (v: IndexVar): number => {
      const step = stepOf(form, v, substitution);
      return step === null ? -1 : Math.abs(step) === 1 ? 1 : step === 0 ? 0 : -1;
    };
    score += reads(first) - reads(second);
  }
  return score >= 0 ? first : second;
}

/** Below this many columns a row is not worth loops of its own. */
const LEAST_WIDTH = 4;

/**
 * Columns of the right operand and of the output may lie in rows of memory: positions of an image, images of a batch. Gives the width
 * of those rows (n = row * width + column), all of n where no index divides it.
 */
export function widthOfRows({ n, b, epilogue }: ContractionKernel): number {
  const indices = [...indicesBelow([b, ...epilogue.map(({ value }) => value)]), ...epilogue.map(({ index }) => index)];
  const divisors = divisorsOf(indices, n);
  if (divisors.size === 0) return n.extent;
  const width = Math.min(...divisors);
  if (width < LEAST_WIDTH || n.extent % width !== 0) return n.extent;
  const row = indexVar('row', n.extent / width);
  const column = indexVar('column', width);
  const inRows = plus(times(variable(row), width), variable(column));
  const substitution: Substitution = (v) => (v === n ? inRows : undefined);
  const divided = indices.some((index) => stepOf(affine(index, substitution), column, substitution) === null);
  return divided ? n.extent : width;
}

/** The numbers that indices divide a variable by. */
export function divisorsOf(indices: readonly Index[], v: IndexVar): Set<number> {
  const divisors = new Set<number>();
  for (const index of indices) collectDivisors(affine(index, UNCHANGED), v, divisors);
  return divisors;
}

function collectDivisors({ terms }: Affine, v: IndexVar, divisors: Set<number>): void {
  for (const { atom } of terms) {
    if (atom.kind !== 'div' && atom.kind !== 'mod') continue;
    const [only, ...more] = atom.a.terms;
    if (only && more.length === 0 && only.atom.kind === 'var' && only.atom.v === v && only.coefficient === 1) {
      if (atom.a.constant === 0) divisors.add(atom.b);
    } else {
      collectDivisors(atom.a, v, divisors);
    }
  }
}
