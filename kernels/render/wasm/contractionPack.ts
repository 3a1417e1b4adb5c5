import type { ContractionKernel, Index, IndexVar } from '../../ir.js';
import { type BlockPlace, type Blocks, decode, forColumns, forNumbers, ofLastOr, when } from './contractionBlock.js';
import { forGuardedRow, guardedRow } from './contractionGuard.js';
import { type DirectOperand, exprDependsOn, lanesAlong } from './contractionOperands.js';
import { PANEL } from './contractionTiling.js';
import { type Block, i32, op, select, shuffle, type Value } from './encoder.js';
import { constant, indexVar, plus, quotient, remainder, times, variable } from './indexTerms.js';
import type { WasmKernelModule } from './kernel-module.js';
import type { WasmScope } from './scope.js';

/** Steps of k in a part of it, and whether it is the last part (null: there is only one). */
export interface StepsPlace {
  readonly scope: WasmScope;
  readonly steps: Value | number;
  readonly isLast: Value | null;
}

/** Words from step to step in the packed right operand, for a register block of 1 or 2 vectors. */
export function packedStep({ flat, pitch }: Blocks, vectors: number): number {
  if (!flat) return 4 * vectors;
  // A row ends with up to three columns that are none, over which the next one is written. A distance of an odd number of vectors
  // spreads steps over all of the cache.
  return pitch % 8 === 0 ? pitch + 4 : pitch + 8;
}

/** Words of a packed block of the right operand. */
export const packedWords = (blocks: Blocks): number =>
  blocks.tiling.steps * (blocks.flat ? packedStep(blocks, 2) : Math.ceil(blocks.pitch / PANEL) * PANEL);

/**
 * Copies a block of the right operand to panels: for each eight columns, the steps of k one after another. Half panels have rows of
 * four. Several rows of columns stay together at each step: their ends fill no panels. Whatever the operand computes is computed here, once for all rows of the block.
 */
export function packRight(blocks: Blocks, place: BlockPlace, part: StepsPlace, buffer: number): void {
  const { kernel, vars, substitution } = blocks;
  const alongColumns = lanesAlong(kernel.b, vars.column, vars.step, substitution) === vars.column;
  part.scope.loop(vars.line, 0, place.lines, (line) => {
    if (alongColumns) packAlongColumns(blocks, place, part, line, buffer);
    else packAlongSteps(blocks, place, part, line, buffer);
  });
}

function packAlongColumns(blocks: Blocks, place: BlockPlace, part: StepsPlace, line: WasmScope, buffer: number): void {
  const { kernel, vars, tiling, lastPanels, lastColumns, flat, columnIndex } = blocks;
  const inPanels = (width: number) =>
    plus(
      times(quotient(variable(vars.column), PANEL), tiling.steps * PANEL),
      times(variable(vars.step), width),
      remainder(variable(vars.column), width),
    );
  const whole = flat ? plus(times(variable(vars.step), packedStep(blocks, 2)), columnIndex) : inPanels(PANEL);
  const half = flat ? whole : inPanels(PANEL / 2);
  const indexAt = (isRest: boolean) => (isRest && lastPanels.half ? half : whole);
  const guarded = place.isLastColumns === null ? guardedRow(kernel.b, vars.column, blocks.substitution) : null;
  line.loop(vars.step, 0, part.steps, (step) => {
    if (guarded) {
      forGuardedRow(guarded, step, vars.column, (scopes, value, first) => {
        const index = indexAt(first !== null && first >= lastColumns - (lastColumns % PANEL));
        for (const scope of scopes) scope.stores([{ kind: 'store', buffer, index, value }]);
      });
      return;
    }
    forColumns(blocks, place, step, (scopes, isRest) => {
      for (const scope of scopes) scope.stores([{ kind: 'store', buffer, index: indexAt(isRest), value: kernel.b }]);
    });
  });
}

/** Memory runs along k: reads four steps of four columns and transposes them. */
function packAlongSteps(blocks: Blocks, place: BlockPlace, part: StepsPlace, line: WasmScope, buffer: number): void {
  const { tiling, lastColumns, lastPanels } = blocks;
  const { isLastColumns } = place;
  const groupsIn = (columns: number) => 2 * Math.floor(columns / PANEL);
  const last = groupsIn(lastColumns);
  const group = indexVar('group', Math.ceil(tiling.columns / 4));
  const groups = ofLastOr(line.block, isLastColumns, last, groupsIn(tiling.columns));
  const step = packedStep(blocks, 2);
  line.loop(group, 0, groups, (scope) => packGroup(blocks, part, scope, group, { count: 4, step, buffer }));
  const rest = lastColumns % PANEL;
  if (rest === 0) return;
  when(line.block, isLastColumns, (block) => {
    for (let done = 0; done < rest; done += 4) {
      const scope = line.child({ vars: new Map([[group, last + done / 4]]) }, block);
      const count = Math.min(4, rest - done);
      packGroup(blocks, part, scope, group, { count, step: packedStep(blocks, lastPanels.half ? 1 : 2), buffer });
    }
  });
}

interface Group {
  /** Columns that there are. */
  readonly count: number;
  /** Words from step to step. */
  readonly step: number;
  readonly buffer: number;
}

function packGroup(
  blocks: Blocks,
  { steps, isLast }: StepsPlace,
  scope: WasmScope,
  group: IndexVar,
  { count, step, buffer }: Group,
): void {
  const { kernel, vars, tiling, lastSteps, flat } = blocks;
  const { block, f } = scope;
  const member = indexVar('column', 4);
  const inGroup = scope.child({ indices: new Map([[vars.column, plus(times(variable(group), 4), variable(member))]]) });
  const start = flat
    ? plus(times(variable(vars.line), tiling.columns), times(variable(group), 4))
    : plus(times(quotient(variable(group), 2), tiling.steps * PANEL), times(remainder(variable(group), 2), 4));
  const target = block.let(op('i32.add', f.buffer(buffer), op('i32.shl', scope.index(start), i32(2))));
  const copy = (inner: WasmScope, rows: number): void => {
    const columns = Array.from({ length: count }, (_, n) => {
      const { value } = inner.child({ vars: new Map([[member, n]]) }).named(kernel.b);
      return value;
    });
    const rowsOf = transposed(
      inner.block,
      [0, 1, 2, 3].map((n) => columns[n] ?? columns[0]!),
    );
    for (let n = 0; n < rows; n++) inner.block.store(target, rowsOf[n]!, 4 * step * n);
  };
  const rest = lastSteps % 4;
  const whole =
    typeof steps === 'number' ? steps - (steps % 4) : rest === 0 ? steps : block.let(op('i32.and', steps, i32(-4)));
  inGroup.vectorLoop(vars.step, 0, whole, 1, (inner) => {
    copy(inner, 4);
    inner.block.increase(target, 16 * step);
  });
  if (rest === 0) return;
  when(block, isLast, (inner) => {
    copy(inGroup.oneVector(vars.step, whole, rest, inner), rest);
  });
}

/** The four vectors of the first lanes, second lanes, … of four vectors. */
export function transposed(block: Block, vectors: readonly Value[]): Value[] {
  const [a, b, c, d] = vectors as [Value, Value, Value, Value];
  const [ab, cd] = [block.let(shuffle(a, b, [0, 4, 1, 5])), block.let(shuffle(c, d, [0, 4, 1, 5]))];
  const [abHigh, cdHigh] = [block.let(shuffle(a, b, [2, 6, 3, 7])), block.let(shuffle(c, d, [2, 6, 3, 7]))];
  return [
    shuffle(ab, cd, [0, 1, 4, 5]),
    shuffle(ab, cd, [2, 3, 6, 7]),
    shuffle(abHigh, cdHigh, [0, 1, 4, 5]),
    shuffle(abHigh, cdHigh, [2, 3, 6, 7]),
  ];
}

/** The left operand in a buffer of its own, as all blocks then read it. */
export interface PackedLeft {
  readonly words: number;
  /** Memory runs along m: it lies as a step of k of four rows after the other, and otherwise as rows. */
  readonly inFours: boolean;
  /** Batches that differ. */
  readonly batches: number;
  operandIn(buffer: number): DirectOperand;
}

/** Rows whose distance is a large power of two would share few lines of the cache. */
function padded(length: number): number {
  const whole = Math.ceil(length / 4) * 4;
  return whole % 512 === 0 ? whole + 16 : whole;
}

export function planPackedLeft({ a, batch, m, k }: ContractionKernel): PackedLeft {
  const inFours = lanesAlong(a, k, m, () => undefined) === m;
  const batches = exprDependsOn(a, batch) ? batch.extent : 1;
  const rows = inFours ? Math.ceil(m.extent / 4) * 4 : m.extent;
  const pitch = inFours ? k.extent : padded(k.extent);
  const start = batches > 1 ? times(variable(batch), rows * pitch) : constant(0);
  const index = inFours
    ? plus(start, times(quotient(variable(m), 4), 4 * pitch), times(variable(k), 4), remainder(variable(m), 4))
    : plus(start, times(variable(m), pitch), variable(k));
  return {
    words: batches * rows * pitch,
    inFours,
    batches,
    operandIn: (buffer) => ({
      buffer,
      index,
      row: inFours ? 1 : pitch,
      step: inFours ? 4 : 1,
      fourRows: 4 * pitch,
    }),
  };
}

/** Words that a task of packing computes, at least. */
const PACKED_AT_ONCE = 8192;
/** Rows that are packed together: as many as lie in a line of the cache. */
const STRIPE = 16;

/** Adds the phase that computes the left operand once for all blocks. */
export function packLeft(module: WasmKernelModule, packed: PackedLeft, buffer: number): void {
  const kernel = module.kernel as ContractionKernel;
  const { m, k } = kernel;
  const { inFours, batches } = packed;
  const { index } = packed.operandIn(buffer);
  const batch = indexVar('batch', batches);
  const stripe = indexVar('row', inFours ? Math.ceil(m.extent / STRIPE) : m.extent);
  const f = module.function('pack');
  const count = batches * stripe.extent;
  const words = (inFours ? STRIPE : 1) * k.extent;
  const each = Math.max(1, Math.ceil(PACKED_AT_ONCE / words));
  const copy = (_: WasmScope, steps: readonly WasmScope[]) => {
    for (const inner of steps) inner.stores([{ kind: 'store', buffer, index, value: kernel.a }]);
  };
  const indices = new Map<IndexVar, Index>([[kernel.batch, batches === 1 ? constant(0) : variable(batch)]]);
  const ofBatch = exprDependsOn(kernel.a, kernel.batch) ? indices : new Map<IndexVar, Index>();
  forNumbers(f, count, each, (block, number) => {
    const scope = f.scope({ vars: decode(block, number, [batch, stripe]), indices: ofBatch }, block);
    if (!inFours) {
      const rows = scope.child({ indices: new Map([[m, variable(stripe)]]) });
      rows.vectorLoop(k, 0, k.extent - (k.extent % 8), 2, copy);
      rows.vectorRest(k, k.extent - (k.extent % 8), copy);
      return;
    }
    const inStripe = indexVar('row', STRIPE);
    const rows = scope.child({
      indices: new Map([[m, plus(times(variable(stripe), STRIPE), variable(inStripe))]]),
    });
    const rest = m.extent % STRIPE;
    const isLast = block.let(op('i32.eq', scope.index(variable(stripe)), i32(stripe.extent - 1)));
    const whole = rest === 0 ? STRIPE : block.let(select(i32(rest - (rest % 4)), i32(STRIPE), isLast));
    rows.loop(k, 0, k.extent, (step) => {
      if (rest === 0) step.vectorLoop(inStripe, 0, STRIPE, 4, copy);
      else step.vectorLoop(inStripe, 0, whole, 1, copy);
    });
    if (rest % 4 === 0) return;
    block.if(isLast, (inner) => {
      rows.child({}, inner).loop(k, 0, k.extent, (step) => {
        const last = step.oneVector(inStripe, rest - (rest % 4), rest % 4);
        copy(last, last.steps());
      });
    });
  });
  module.phase({ name: 'pack', tasks: Math.ceil(count / each), taskCost: each * words }, f);
}
