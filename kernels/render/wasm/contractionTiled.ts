import type { ContractionKernel, Index, IndexVar } from '../../ir.js';
import { type BlockPlace, Blocks, finishBlock, forBlocks, ofLastOr, when } from './contractionBlock.js';
import { type Arithmetic, microKernel } from './contractionMicro.js';
import { type DirectOperand, directOperand } from './contractionOperands.js';
import { packedStep, packedWords, packLeft, packRight, planPackedLeft, type StepsPlace } from './contractionPack.js';
import { Sums } from './contractionSums.js';
import { chooseTiling, type Extents, PANEL } from './contractionTiling.js';
import { type Block, i32, type Local, minU, op, type Value, type WasmFunction } from './encoder.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import { type KernelFunction, WasmKernelModule } from './kernel-module.js';
import type { WasmFeatures, WasmKernel } from './rendered.js';
import type { WasmScope } from './scope.js';
import { ScratchBuffers } from './scratch.js';

/** Multiplications a nanosecond, of one thread, with all that goes with them. */
const MULTIPLICATIONS_PER_NS = 25;
/** Below this many rows, columns are read where they lie: packing them would cost more than it gains. */
const ROWS_WORTH_PACKING = 24;

/** Strides of whole pages leave the cache few places for a column, at steps that are walked often enough to matter. */
const PAGE_FRACTION = 512;
const LONG = 192;

/** The left operand where it may stay where it is. */
function directLeft({ a, m, n, k }: ContractionKernel): DirectOperand | null {
  const left = directOperand(a, m, k);
  const jumps = left?.row === 1 && left.step % PAGE_FRACTION === 0 && k.extent >= LONG && n.extent >= LONG;
  return jumps ? null : left;
}

/** Renders a contraction as products of packed blocks. */
export class TiledContraction {
  readonly #blocks: Blocks;
  readonly #module: WasmKernelModule;
  readonly #arithmetic: Arithmetic;
  readonly #left: DirectOperand;
  readonly #right: DirectOperand | null;
  readonly #rightBuffer: number = -1;
  readonly #sums: Sums;
  readonly #micro = new Map<string, WasmFunction>();

  constructor(
    private readonly kernel: ContractionKernel,
    features: WasmFeatures,
    extents: Extents,
  ) {
    const blocks = new Blocks(kernel, extents, chooseTiling(extents));
    this.#blocks = blocks;
    this.#arithmetic = { dtype: kernel.dtype as Arithmetic['dtype'], relaxed: features.relaxedSimd };
    const left = directLeft(kernel);
    const packedLeft = left ? null : planPackedLeft(kernel);
    this.#right = this.#directRight();
    const { rows, splits } = blocks.tiling;
    const blockWords = rows * blocks.pitch;
    const scratch = new ScratchBuffers(kernel.buffers.length);
    const sums = scratch.add(
      splits > 1 ? 'shared' : 'thread',
      kernel.dtype,
      (splits > 1 ? blocks.count : 1) * blockWords,
    );
    this.#sums = new Sums(kernel, sums, (split) => this.#sumIndex(split, blockWords), splits);
    if (!this.#right) this.#rightBuffer = scratch.add('thread', kernel.dtype, packedWords(blocks));
    const leftBuffer = packedLeft ? scratch.add('shared', kernel.dtype, packedLeft.words) : -1;
    this.#module = new WasmKernelModule(kernel, features, scratch);
    if (packedLeft) packLeft(this.#module, packedLeft, leftBuffer);
    this.#left = left ?? packedLeft!.operandIn(leftBuffer);
  }

  render(): WasmKernel {
    const { kernel } = this;
    const { tiling, tasks, vars } = this.#blocks;
    const f = this.#module.function('multiply');
    forBlocks(f, this.#blocks, (place, values) => {
      this.#multiply(f, place, values.get(vars.split)!);
      if (tiling.splits === 1) finishBlock(this.#blocks, place, this.#sums.expr());
    });
    const blockCost = (tiling.rows * tiling.lines * tiling.columns * kernel.k.extent) / tiling.splits;
    const taskCost = Math.ceil((tiling.group * blockCost) / MULTIPLICATIONS_PER_NS) + 200;
    this.#module.phase({ name: 'multiply', tasks, taskCost }, f);
    if (tiling.splits > 1) this.#combine();
    return this.#module.finish();
  }

  /** The right operand where it may stay where it is: contiguous columns in whole halves of panels, and few rows that read them. */
  #directRight(): DirectOperand | null {
    const { kernel } = this;
    const right = directOperand(kernel.b, kernel.n, kernel.k);
    const { extents } = this.#blocks;
    if (right?.row !== 1 || extents.width !== extents.n || kernel.n.extent % 4 !== 0) return null;
    return kernel.m.extent <= ROWS_WORTH_PACKING ? right : null;
  }

  #sumIndex(split: Index, blockWords: number): Index {
    const { vars, pitch, columnIndex, tiling, grid } = this.#blocks;
    const inBlock = plus(times(variable(vars.row), pitch), columnIndex);
    if (tiling.splits === 1) return inBlock;
    const number = grid.reduce<Index>(
      (index, v) => (v.extent <= 1 ? index : plus(times(index, v.extent), v === vars.split ? split : variable(v))),
      plus(),
    );
    return plus(times(number, blockWords), inBlock);
  }

  /** The sums of one block over its parts of k. */
  #multiply(f: KernelFunction, place: BlockPlace, split: Value | number): void {
    const { vars, tiling, stepBlocksOfSplit, lastSteps } = this.#blocks;
    const { scope } = place;
    const { block } = scope;
    const parts = vars.stepBlock.extent;
    let [from, to]: [Value | number, Value | number] = [0, parts];
    if (tiling.splits > 1) {
      from = block.let(op('i32.mul', split as Value, i32(stepBlocksOfSplit)));
      const end = block.let(op('i32.add', from, i32(stepBlocksOfSplit)));
      to = block.let(minU(end, i32(parts)));
    }
    const first = from;
    scope.loop(vars.stepBlock, from, to, (inner) => {
      const number = inner.index(variable(vars.stepBlock));
      const isLast = parts === 1 ? null : inner.block.let(op('i32.eq', number, i32(parts - 1)));
      const steps = ofLastOr(inner.block, isLast, lastSteps, tiling.steps);
      const part: StepsPlace = { scope: inner, steps, isLast };
      if (!this.#right) packRight(this.#blocks, place, part, this.#rightBuffer);
      const starts =
        stepBlocksOfSplit === 1
          ? null
          : inner.block.let(op('i32.eq', number, typeof first === 'number' ? i32(first) : first));
      this.#panels(f, place, part, starts);
    });
  }

  /** Byte address of an element where variables of its block are 0. */
  #address(scope: WasmScope, buffer: number, index: Index, zeros: readonly IndexVar[]): Local {
    const at = scope.child({ vars: new Map(zeros.map((v) => [v, 0])) }).index(index);
    return scope.block.let(op('i32.add', scope.f.buffer(buffer), op('i32.shl', at, i32(2))));
  }

  #panels(f: KernelFunction, place: BlockPlace, part: StepsPlace, starts: Value | null): void {
    const { vars, tiling, panels, lastPanels, flat } = this.#blocks;
    const { scope } = part;
    const { block } = scope;
    const zeros = [vars.row, vars.line, vars.column, vars.step];
    const a = this.#address(scope, this.#left.buffer, this.#left.index, zeros);
    const c = this.#address(scope, this.#sums.buffer, this.#sums.index(variable(vars.split)), zeros);
    const right = this.#right;
    const b = right ? this.#address(scope, right.buffer, right.index, zeros) : block.let(f.buffer(this.#rightBuffer));
    const panelBytes = right || flat ? 4 * PANEL : 4 * PANEL * tiling.steps;
    const { isLastPanels } = place;
    const whole = ofLastOr(block, isLastPanels, lastPanels.whole, panels.whole);
    const panel = indexVar('panel', 1);
    scope.loop(panel, 0, whole, (inner) => {
      this.#rowBlocks(inner.block, place, part, { a, b, c, vectors: 2, starts });
      inner.block.increase(b, panelBytes);
      inner.block.increase(c, 4 * PANEL);
    });
    const half = (inner: Block) => this.#rowBlocks(inner, place, part, { a, b, c, vectors: 1, starts });
    if (panels.half && lastPanels.half) half(block);
    else if (lastPanels.half) when(block, isLastPanels, half);
    else if (panels.half && isLastPanels) block.if(op('i32.eqz', isLastPanels), half);
  }

  /** All rows of a block times one panel. */
  #rowBlocks(
    block: Block,
    place: BlockPlace,
    { steps }: StepsPlace,
    at: { a: Local; b: Local; c: Local; vectors: number; starts: Value | null },
  ): void {
    const { pitch, lastRows } = this.#blocks;
    const { rows } = place;
    const [a, c] = [block.let(at.a), block.let(at.c)];
    const value = (number: Value | number) => (typeof number === 'number' ? i32(number) : number);
    const starts = at.starts ? [at.starts] : [];
    const call = (inner: Block, count: number) =>
      inner.call(this.#microOf(count, at.vectors, at.starts !== null), a, at.b, c, value(steps), ...starts);
    const number = block.fn.local('i32');
    block.for(number, i32(3), value(rows), 4, (inner) => {
      call(inner, 4);
      inner.increase(a, 4 * this.#left.fourRows);
      inner.increase(c, 16 * pitch);
    });
    if (lastRows % 4 !== 0) when(block, place.isLastRows, (inner) => call(inner, lastRows % 4));
  }

  #microOf(rows: number, vectors: number, continues: boolean): WasmFunction {
    const name = `rows${rows}vectors${vectors}${continues ? 'continued' : ''}`;
    let micro = this.#micro.get(name);
    if (!micro) {
      const { row, step } = this.#left;
      const shape = {
        rows,
        vectors,
        aRow: 4 * row,
        aStep: 4 * step,
        bStep: 4 * (this.#right?.step ?? packedStep(this.#blocks, vectors)),
        cRow: 4 * this.#blocks.pitch,
        continues,
      };
      micro = microKernel(this.#module.module, name, shape, this.#arithmetic);
      this.#micro.set(name, micro);
    }
    return micro;
  }

  /** The phase that adds the parts of k and runs the epilogue. */
  #combine(): void {
    const { vars, tiling, count } = this.#blocks;
    const f = this.#module.function('combine');
    const blocks = count / tiling.splits;
    forBlocks(f, this.#blocks, (place) => finishBlock(this.#blocks, place, this.#sums.expr()), vars.split);
    const taskCost = Math.ceil((tiling.rows * tiling.lines * tiling.columns * tiling.splits) / 2);
    this.#module.phase({ name: 'combine', tasks: blocks, taskCost }, f);
  }
}
