import type { ContractionKernel, Expr, Index, IndexVar } from '../../ir.js';
import { type Affine, affine, type Substitution } from '../affine.js';
import { indicesBelow } from '../nest.js';
import { exprsOfIndex } from '../uses.js';
import type { BlockPlace, Blocks } from './contractionBlock.js';
import { forGuardedRow, guardedRow } from './contractionGuard.js';
import { divisorsOf, exprDependsOn, stepOf } from './contractionOperands.js';
import { i32, op, type Value } from './encoder.js';
import { constant, indexVar, plus, times, variable } from './indexTerms.js';
import { Rewriter } from './rewrite.js';
import type { WasmScope } from './scope.js';

/** A step along the output and one along the kernel, in elements of what a window slides over. */
interface Slide {
  readonly stride: number;
  readonly dilation: number;
}

/**
 * A right operand that is a window sliding over an image: its element at (k, n) depends on one place of the image alone, which is
 * stride * (place in the output) + dilation * (place in the kernel) along each axis.
 */
export interface SlidingWindow {
  readonly y: Slide;
  readonly x: Slide;
  /** The kernel's width; k counts its places. */
  readonly kernelWidth: number;
  readonly kernelHeight: number;
  /** The image, by its place: padding and whatever the operand computes included. */
  readonly image: Expr;
  readonly imageY: IndexVar;
  readonly imageX: IndexVar;
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));

/** The right operand as a sliding window over rows of `width` columns, or null where it is none. */
export function slidingWindow({ b, n, k }: ContractionKernel, width: number): SlidingWindow | null {
  if (n.extent % width !== 0) return null;
  const indices = indicesBelow([b]);
  if (indices.some((index) => exprsOfIndex(index).some((expr) => exprDependsOn(expr, n) || exprDependsOn(expr, k))))
    return null;
  const kernelWidth = Math.min(k.extent, ...divisorsOf(indices, k));
  if (kernelWidth < 1 || k.extent % kernelWidth !== 0) return null;
  const kernelHeight = k.extent / kernelWidth;
  const [line, column] = [indexVar('line', n.extent / width), indexVar('column', width)];
  const [tapY, tapX] = [indexVar('y', kernelHeight), indexVar('x', kernelWidth)];
  const inParts = new Map<IndexVar, Index>([
    [n, plus(times(variable(line), width), variable(column))],
    [k, plus(times(variable(tapY), kernelWidth), variable(tapX))],
  ]);
  const forms = new Map(indices.map((index) => [index, affine(index, (v) => inParts.get(v))]));
  const y = slideOf([...forms.values()], line, tapY);
  const x = slideOf([...forms.values()], column, tapX);
  if (!y || !x) return null;
  const extent = (slide: Slide, along: IndexVar, tap: IndexVar) =>
    slide.stride * (along.extent - 1) + slide.dilation * (tap.extent - 1) + 1;
  const [imageY, imageX] = [indexVar('y', extent(y, line, tapY)), indexVar('x', extent(x, column, tapX))];
  const inImage = (form: Affine): Index => {
    const terms = form.terms.filter(({ atom }) => atom.kind !== 'var' || ![line, column, tapY, tapX].includes(atom.v));
    const place = (slide: Slide, along: IndexVar, to: IndexVar) =>
      times(variable(to), (along.extent > 1 ? stepOf(form, along)! : 0) / slide.stride);
    return sumOf(form.with(terms, form.constant), place(y, line, imageY), place(x, column, imageX));
  };
  class InImage extends Rewriter {
    override index(index: Index): Index {
      const form = forms.get(index);
      return form ? inImage(form) : index;
    }
  }
  const image = new InImage(() => null).expr(b);
  return { y, x, kernelWidth, kernelHeight, image, imageY, imageX };
}

/** How all indices move along the output and the kernel, or null where they do not agree. */
function slideOf(forms: readonly Affine[], along: IndexVar, tap: IndexVar): Slide | null {
  let slide: Slide | null = null;
  for (const form of forms) {
    const [a, b] = [stepOf(form, along), stepOf(form, tap)];
    if (a === null || b === null || a < 0 || b < 0) return null;
    if (a === 0 && b === 0) continue;
    if (a === 0) return null;
    const shared = gcd(a, b);
    const found: Slide = { stride: a / shared, dilation: b / shared };
    if (slide && (slide.stride !== found.stride || slide.dilation !== found.dilation)) return null;
    slide = found;
  }
  return slide ?? { stride: 1, dilation: 0 };
}

/** The index that a form stands for, plus others; differences come last. */
function sumOf(form: Affine, ...others: Index[]): Index {
  const scaled = ({ atom, coefficient }: Affine['terms'][number]): Index => {
    const index: Index =
      atom.kind === 'var'
        ? variable(atom.v)
        : atom.kind === 'value'
          ? { kind: 'value', expr: atom.expr }
          : { kind: atom.kind, a: sumOf(atom.a), b: atom.b };
    return times(index, Math.abs(coefficient));
  };
  const added = form.terms.filter(({ coefficient }) => coefficient > 0).map(scaled);
  let sum = plus(...others, ...added, constant(Math.max(form.constant, 0)));
  for (const term of form.terms) if (term.coefficient < 0) sum = { kind: 'sub', a: sum, b: scaled(term) };
  return form.constant < 0 ? { kind: 'sub', a: sum, b: constant(-form.constant) } : sum;
}

/** The part of an image that a block of whole rows of the output needs, in scratch: columns of equal remainder by the stride together. */
export class WindowBlock {
  readonly words: number;
  readonly #pitch: number;

  constructor(
    private readonly window: SlidingWindow,
    private readonly blocks: Blocks,
  ) {
    const { x, imageX } = window;
    this.#pitch = Math.ceil(Math.ceil(imageX.extent / x.stride) / 4) * 4;
    this.words = this.#rowsFor(blocks.tiling.lines) * x.stride * this.#pitch + 8;
  }

  #rowsFor(lines: number): number {
    const { y, kernelHeight } = this.window;
    return y.stride * (lines - 1) + y.dilation * (kernelHeight - 1) + 1;
  }

  /** Computes the part of the image. */
  fill({ scope, lines }: BlockPlace, buffer: number): void {
    const { y, x, image, imageX, imageY } = this.window;
    const { vars, tiling } = this.blocks;
    const row = indexVar('row', this.#rowsFor(tiling.lines));
    const rows: Value | number =
      typeof lines === 'number'
        ? this.#rowsFor(lines)
        : scope.block.let(op('i32.add', op('i32.mul', lines, i32(y.stride)), i32(this.#rowsFor(1) - y.stride)));
    const atRow = scope.child({
      indices: new Map([[imageY, plus(times(variable(vars.lineBlock), tiling.lines * y.stride), variable(row))]]),
    });
    atRow.loop(row, 0, rows, (inRow) => {
      for (let phase = 0; phase < x.stride; phase++) {
        const extent = Math.ceil((imageX.extent - phase) / x.stride);
        const position = indexVar('column', extent);
        const inPhase = inRow.child({
          indices: new Map([[imageX, plus(times(variable(position), x.stride), constant(phase))]]),
        });
        const index = plus(
          times(plus(times(variable(row), x.stride), constant(phase)), this.#pitch),
          variable(position),
        );
        const substitution: Substitution = (v) =>
          v === imageX ? inPhase.bindings.indices!.get(v) : atRow.bindings.indices!.get(v);
        const guarded = guardedRow(image, position, substitution);
        if (guarded) {
          forGuardedRow(guarded, inPhase, position, (scopes, value) => {
            for (const inner of scopes) inner.stores([{ kind: 'store', buffer, index, value }]);
          });
          continue;
        }
        const copy = (_: WasmScope, steps: readonly WasmScope[]) => {
          for (const step of steps) step.stores([{ kind: 'store', buffer, index, value: image }]);
        };
        const whole = extent - (extent % 8);
        inPhase.vectorLoop(position, 0, whole, 2, copy);
        inPhase.vectorRest(position, whole, copy);
      }
    });
  }

  /** The right operand at step `k` of the block's line and column, from scratch. */
  operandAt(k: number, buffer: number): Expr {
    const { y, x, kernelWidth, image } = this.window;
    const { vars } = this.blocks;
    const [tapY, tapX] = [Math.floor(k / kernelWidth), k % kernelWidth];
    const shift = x.dilation * tapX;
    const index = plus(
      times(variable(vars.line), y.stride * x.stride * this.#pitch),
      variable(vars.column),
      constant((y.dilation * tapY * x.stride + (shift % x.stride)) * this.#pitch + Math.floor(shift / x.stride)),
    );
    return { kind: 'load', dtype: image.dtype, buffer, index, clamp: false };
  }
}
