import type { ContractionKernel, Expr } from '../../ir.js';
import { type BlockPlace, Blocks, finishBlock, forBlocks, forColumns } from './contractionBlock.js';
import { type Arithmetic, multiplyAdd } from './contractionMicro.js';
import { Sums } from './contractionSums.js';
import { type Extents, type Tiling, tasksOf } from './contractionTiling.js';
import { slidingWindow, WindowBlock } from './contractionWindow.js';
import { type Block, splatI32, type Value } from './encoder.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import { WasmKernelModule } from './kernel-module.js';
import type { WasmFeatures, WasmKernel, WasmPhase } from './rendered.js';
import { atValue } from './rewrite.js';
import type { WasmScope } from './scope.js';
import { ScratchBuffers } from './scratch.js';

/** Steps of k that are written out one after another. */
export const MOST_UNROLLED = 32;
/** Steps whose operands fit the vector registers beside two sums. */
const STEPS_AT_ONCE = 3;
/** Steps of k between two readings of the sums. */
const STEPS_PER_PASS = 4;
/** Products a nanosecond where the right operand comes from memory, from a window in the cache, or is computed. */
const STREAMED_PER_NS = 8;
const WINDOWED_PER_NS = 12;
const COMPUTED_PER_NS = 4;

/** The blocks of a tiling, and how they are computed. */
export function settingOf(
  kernel: ContractionKernel,
  { relaxedSimd }: WasmFeatures,
  extents: Extents,
  tiling: Tiling,
): { blocks: Blocks; arithmetic: Arithmetic } {
  const arithmetic = { dtype: kernel.dtype as Arithmetic['dtype'], relaxed: relaxedSimd };
  return { blocks: new Blocks(kernel, extents, tiling), arithmetic };
}

/** Rows and lines that make up a block of about `most` sums. */
export function directTiling(extents: Extents, most: number, rows = 1): Tiling {
  const { width, n } = extents;
  const columns = Math.min(width, most);
  const lines = columns < width ? 1 : Math.max(1, Math.min(n / width, Math.floor(most / width)));
  return tasksOf(extents, { rows, lines, columns, steps: Math.max(extents.k, 1), splits: 1, group: 1 });
}

/**
 * A contraction of few steps and one row, as of a depthwise convolution (or of no steps at all): every vector of sums is computed in
 * one go. A window that slides over an image is read from a copy of its part with the padding around.
 */
export function renderUnrolled(kernel: ContractionKernel, features: WasmFeatures, extents: Extents): WasmKernel {
  const found = extents.width <= 4096 && extents.k > 1 ? slidingWindow(kernel, extents.width) : null;
  const tiling = directTiling(extents, found ? Math.max(extents.width, 1024) : 512, extents.k === 0 ? 16 : 1);
  const { blocks, arithmetic } = settingOf(kernel, features, extents, tiling);
  const scratch = new ScratchBuffers(kernel.buffers.length);
  const window = found ? new WindowBlock(found, blocks) : null;
  const buffer = window ? scratch.add('thread', kernel.dtype, window.words) : -1;
  const module = new WasmKernelModule(kernel, features, scratch);
  const f = module.function('multiply');
  const ks = Array.from({ length: extents.k }, (_, k) => k);
  const lefts = ks.map((k) => atValue(kernel.a, kernel.k, k));
  const rights = ks.map((k) => (window ? window.operandAt(k, buffer) : atValue(kernel.b, kernel.k, k)));
  forBlocks(f, blocks, (place) => {
    window?.fill(place, buffer);
    place.scope.loop(blocks.vars.row, 0, place.rows, (row) => {
      row.loop(blocks.vars.line, 0, place.lines, (line) => {
        const left = lefts.map((a) => line.named(a).value);
        forColumns(blocks, place, line, (columns) => {
          const { block } = columns[0]!;
          const sums = columns.map(() => block.let(splatI32(0)));
          for (let first = 0; first < extents.k; first += window ? STEPS_AT_ONCE : 1) {
            const add = (inner: Block, scopes: readonly WasmScope[]) => {
              for (const k of window ? ks.slice(first, first + STEPS_AT_ONCE) : [first]) {
                scopes.forEach((scope, i) => {
                  inner.set(sums[i]!, multiplyAdd(arithmetic, left[k]!, scope.value(rights[k]!).value, sums[i]!));
                });
              }
            };
            if (first === 0 || !window) add(block, columns);
            // Always true; it parts what would have more operands in flight than there are registers.
            else
              block.if(f.end, (inner) =>
                add(
                  inner,
                  columns.map((column) => column.child({}, inner)),
                ),
              );
          }
          columns.forEach((column, i) => {
            column.results.set(kernel.acc, { value: sums[i]!, uniform: false });
            column.stores(kernel.epilogue);
          });
        });
      });
    });
  });
  module.phase(multiplyPhase(blocks, window ? WINDOWED_PER_NS : COMPUTED_PER_NS), f);
  return module.finish();
}

export function multiplyPhase({ tiling, tasks, extents }: Blocks, productsPerNs: number): WasmPhase {
  const products = tiling.rows * tiling.lines * tiling.columns * Math.max(extents.k, 1);
  return { name: 'multiply', tasks, taskCost: Math.ceil((tiling.group * products) / productsPerNs) };
}

/** Where sums of a block of whole rows lie in thread scratch. */
export function blockSums(kernel: ContractionKernel, blocks: Blocks, scratch: ScratchBuffers): Sums {
  const { vars, pitch, columnIndex, tiling } = blocks;
  const index = plus(times(variable(vars.row), pitch), columnIndex);
  return new Sums(kernel, scratch.add('thread', kernel.dtype, tiling.rows * pitch), () => index);
}

/** A contraction of few rows: their sums grow in the cache while the right operand streams by, four steps of k at a time. */
export function renderStreamed(kernel: ContractionKernel, features: WasmFeatures, extents: Extents): WasmKernel {
  const tiling = directTiling(extents, 512, extents.m);
  const { blocks, arithmetic } = settingOf(kernel, features, extents, tiling);
  const scratch = new ScratchBuffers(kernel.buffers.length);
  const sums = blockSums(kernel, blocks, scratch);
  const sum = sums.expr();
  const index = (sum as Expr & { kind: 'load' }).index;
  const module = new WasmKernelModule(kernel, features, scratch);
  const f = module.function('multiply');
  const { vars } = blocks;
  const pass = indexVar('pass', Math.ceil(extents.k / STEPS_PER_PASS));
  const step = indexVar('step', STEPS_PER_PASS);
  const inPasses = new Map([[kernel.k, plus(times(variable(pass), STEPS_PER_PASS), variable(step))]]);

  const rows = Array.from({ length: extents.m }, (_, row) => row);
  const inRow = (scope: WasmScope, row: number) => scope.child({ vars: new Map([[vars.row, row]]) });

  const addSteps = (place: BlockPlace, scope: WasmScope, count: number): void => {
    const numbers = Array.from({ length: count }, (_, n) => n);
    const at = (inside: WasmScope, n: number) => inside.child({ vars: new Map([[step, n]]) });
    const left = rows.map((row) => numbers.map((n) => inRow(at(scope, n), row).named(kernel.a).value));
    scope.loop(vars.line, 0, place.lines, (line) => {
      forColumns(blocks, place, line, (columns) => {
        for (const column of columns) {
          const right = numbers.map((n) => at(column, n).named(kernel.b).value);
          for (const row of rows) {
            const sumPlace = inRow(column, row);
            const grown = numbers.reduce<Value>(
              (total, n) => multiplyAdd(arithmetic, left[row]![n]!, right[n]!, total),
              sumPlace.value(sum).value,
            );
            storeVector(sumPlace, sums.buffer, index, kernel, grown);
          }
        }
      });
    });
  };

  forBlocks(f, blocks, (place) => {
    const scope = place.scope.child({ indices: inPasses });
    scope.loop(vars.line, 0, place.lines, (line) => {
      forColumns(blocks, place, line, (columns) => {
        for (const column of columns) {
          for (const row of rows) storeVector(inRow(column, row), sums.buffer, index, kernel, splatI32(0));
        }
      });
    });
    scope.loop(pass, 0, Math.floor(extents.k / STEPS_PER_PASS), (inner) => addSteps(place, inner, STEPS_PER_PASS));
    const rest = extents.k % STEPS_PER_PASS;
    if (rest > 0) addSteps(place, scope.child({ vars: new Map([[pass, pass.extent - 1]]) }), rest);
    finishBlock(blocks, place, sum);
  });
  module.phase(multiplyPhase(blocks, STREAMED_PER_NS), f);
  return module.finish();
}

/** Stores a vector of sums in scratch. */
export function storeVector(
  scope: WasmScope,
  buffer: number,
  index: (Expr & { kind: 'load' })['index'],
  { dtype }: ContractionKernel,
  value: Value,
): void {
  const result = { name: 'stored', dtype };
  scope.results.set(result, { value, uniform: false });
  scope.stores([{ kind: 'store', buffer, index, value: { kind: 'result', dtype, of: result } }]);
}
