import type { ContractionKernel, Expr, IndexVar } from '../../ir.js';
import { finishBlock, forBlocks, ofLastOr, when } from './contractionBlock.js';
import { blockSums, directTiling, multiplyPhase, settingOf, storeVector } from './contractionDirect.js';
import { multiplyAdd } from './contractionMicro.js';
import { transposed } from './contractionPack.js';
import type { Extents } from './contractionTiling.js';
import { op, splatI32, type Value, v128 } from './encoder.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import { WasmKernelModule } from './kernel-module.js';
import type { WasmFeatures, WasmKernel } from './rendered.js';
import type { WasmScope } from './scope.js';
import { ScratchBuffers } from './scratch.js';

/** Rows for which each element of the right operand is read once. */
const ROWS_AT_ONCE = 2;
/** Columns whose sums become one vector. */
const COLUMNS_AT_ONCE = 4;
/** Products a nanosecond, where the right operand comes from memory. */
const PRODUCTS_PER_NS = 8;
const MOST_COLUMNS = 128;

/**
 * A contraction of few rows whose right operand runs along k: products of vectors along k, whose four lanes are added at the end. The
 * operand is read once, where it lies.
 */
export function renderDots(kernel: ContractionKernel, features: WasmFeatures, extents: Extents): WasmKernel {
  const { m, k } = extents;
  const { blocks, arithmetic } = settingOf(kernel, features, extents, directTiling(extents, MOST_COLUMNS, m));
  const { columns } = blocks.tiling;
  const scratch = new ScratchBuffers(kernel.buffers.length);
  const sums = blockSums(kernel, blocks, scratch);
  const sum = sums.expr() as Expr & { kind: 'load' };
  const module = new WasmKernelModule(kernel, features, scratch);
  const f = module.function('multiply');
  const { vars, lastColumns } = blocks;
  const group = indexVar('group', Math.ceil(columns / COLUMNS_AT_ONCE));
  const member = indexVar('column', COLUMNS_AT_ONCE);
  const pair = indexVar('row', Math.ceil(m / ROWS_AT_ONCE));
  const ofPair = indexVar('row', ROWS_AT_ONCE);

  /** The sums of a few rows at four columns (or what is left of them). */
  const addGroup = (scope: WasmScope, rows: number, count: number): void => {
    const { block } = scope;
    const places = Array.from({ length: rows * count }, (_, i) => [Math.floor(i / count), i % count] as const);
    const totals = places.map(() => block.let(splatI32(0)));
    const multiply = (inner: WasmScope, lanes: number): void => {
      const part = (expr: Expr, v: IndexVar, at: number): Value => {
        const { value } = inner.child({ vars: new Map([[v, at]]) }).named(expr);
        return lanes === 4 ? value : inner.block.let(op('v128.and', value, firstLanes(lanes)));
      };
      const left = Array.from({ length: rows }, (_, i) => part(kernel.a, ofPair, i));
      const right = Array.from({ length: count }, (_, j) => part(kernel.b, member, j));
      places.forEach(([i, j], at) => {
        inner.block.set(totals[at]!, multiplyAdd(arithmetic, left[i]!, right[j]!, totals[at]!));
      });
    };
    scope.vectorLoop(kernel.k, 0, k - (k % 4), 1, (inner) => multiply(inner, 4));
    if (k % 4 > 0) multiply(scope.oneVector(kernel.k, k - (k % 4), k % 4), k % 4);
    for (let i = 0; i < rows; i++) {
      const ofRow = Array.from({ length: COLUMNS_AT_ONCE }, (_, j) => totals[i * count + Math.min(j, count - 1)]!);
      const [a, b, c, d] = transposed(block, ofRow) as [Value, Value, Value, Value];
      const add = kernel.dtype === 'f32' ? 'f32x4.add' : 'i32x4.add';
      const total = block.let(op(add, op(add, a, b), op(add, c, d)));
      const place = scope.child({
        vars: new Map([[ofPair, i]]),
        vector: { v: member, first: 0, vectors: 1, lanes: count },
      });
      storeVector(place.steps()[0]!, sums.buffer, sum.index, kernel, total);
    }
  };

  forBlocks(f, blocks, (place) => {
    place.scope.loop(vars.line, 0, place.lines, (line) => {
      const inGroups = line.child({
        indices: new Map([
          [vars.column, plus(times(variable(group), COLUMNS_AT_ONCE), variable(member))],
          [vars.row, plus(times(variable(pair), ROWS_AT_ONCE), variable(ofPair))],
        ]),
      });
      const rows = (scope: WasmScope, count: number) => {
        scope.loop(pair, 0, Math.floor(m / ROWS_AT_ONCE), (inner) => addGroup(inner, ROWS_AT_ONCE, count));
        if (m % ROWS_AT_ONCE === 0) return;
        addGroup(scope.child({ vars: new Map([[pair, pair.extent - 1]]) }), m % ROWS_AT_ONCE, count);
      };
      const groupsIn = (count: number) => Math.floor(count / COLUMNS_AT_ONCE);
      const groups = ofLastOr(line.block, place.isLastColumns, groupsIn(lastColumns), groupsIn(columns));
      inGroups.loop(group, 0, groups, (scope) => rows(scope, COLUMNS_AT_ONCE));
      const rest = lastColumns % COLUMNS_AT_ONCE;
      if (rest === 0) return;
      when(line.block, place.isLastColumns, (block) => {
        const last = Math.floor(lastColumns / COLUMNS_AT_ONCE);
        rows(inGroups.child({ vars: new Map([[group, last]]) }, block), rest);
      });
    });
    finishBlock(blocks, place, sum);
  });
  module.phase(multiplyPhase(blocks, PRODUCTS_PER_NS), f);
  return module.finish();
}

const firstLanes = (count: number): Value => {
  const word = (lane: number) => (lane < count ? 0xffffffff : 0);
  return v128(word(0), word(1), word(2), word(3));
};
