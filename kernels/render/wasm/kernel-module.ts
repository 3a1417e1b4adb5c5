import type { WordDType } from '../../../src/graph/index.js';
import type { BufferSpec, Expr, Kernel } from '../../ir.js';
import { countUses, rootsOfKernel } from '../uses.js';
import {
  type Block,
  bitsOf,
  i32,
  type Local,
  load,
  op,
  splatI32,
  type Value,
  type WasmFunction,
  WasmModule,
} from './encoder.js';
import type { WasmFeatures, WasmKernel, WasmPhase } from './rendered.js';
import { type ScopeBindings, WasmScope } from './scope.js';
import { type ScratchBuffer, ScratchBuffers } from './scratch.js';

/**
 * One kernel as a module under construction. `function` makes a function of the type that all phases have; `phase` exports one.
 *
 * ```ts
 * const module = new WasmKernelModule(kernel, features);
 * const f = module.function('main');
 * const outer = f.scope({ vars: new Map([[kernel.batch, 0], [kernel.m, row]]) });    // row: a Local of i32
 * outer.vectorLoop(kernel.n, from, to, 2, (inner, steps) => {
 *   // `steps` are the scopes of the two vectors, at n = first … first + 3 and first + 4 … first + 7.
 *   for (const step of steps) inner.block.store(address, step.value(kernel.b).value);
 * });
 * module.phase({ name: 'main', tasks, taskCost }, f);
 * ```
 */
export class WasmKernelModule {
  readonly module = new WasmModule();
  /** Expressions used more than once become locals. */
  readonly uses: ReadonlyMap<Expr, number>;
  readonly buffers: readonly (BufferSpec | ScratchBuffer)[];
  readonly #phases: WasmPhase[] = [];

  constructor(
    readonly kernel: Kernel,
    readonly features: WasmFeatures,
    private readonly scratch = new ScratchBuffers(kernel.buffers.length),
    /** Exponentials whose argument is never positive. */
    readonly nonPositive: ReadonlySet<Expr> = new Set(),
  ) {
    this.uses = countUses(rootsOfKernel(kernel));
    this.buffers = [...kernel.buffers, ...scratch.buffers];
    this.module.importMemory({ shared: features.sharedMemory });
  }

  /** A function (begin, end, table, scratch) -> (). */
  function(name: string): KernelFunction {
    return new KernelFunction(this, this.module.function(name, ['i32', 'i32', 'i32', 'i32'], []));
  }

  /** Exports a function as the next phase. */
  phase(phase: WasmPhase, { fn }: KernelFunction): void {
    this.#phases.push(phase);
    this.module.export(phase.name, fn);
  }

  finish(): WasmKernel {
    return { bytes: this.module.bytes(), phases: this.#phases, ...this.scratch.sizes };
  }
}

/** A function of a kernel, and what all its code shares: addresses of buffers, runtime scalars and constants, each loaded once. */
export class KernelFunction {
  readonly begin: Local;
  readonly end: Local;
  readonly table: Local;
  readonly scratch: Local;
  readonly #shared = new Map<string, Value>();

  constructor(
    readonly module: WasmKernelModule,
    readonly fn: WasmFunction,
  ) {
    [this.begin, this.end, this.table, this.scratch] = fn.params as [Local, Local, Local, Local];
  }

  get body(): Block {
    return this.fn.body;
  }

  /** An outermost scope; its code goes to `block`, by default the function's body. */
  scope(bindings: ScopeBindings = {}, block: Block = this.body): WasmScope {
    return new WasmScope(this, [], 0, bindings, block);
  }

  /** Computes a value once, before everything else. */
  once(key: string, value: () => Value): Value {
    let known = this.#shared.get(key);
    if (!known) {
      const made = value();
      known = this.fn.entry.let(made);
      this.#shared.set(key, known);
    }
    return known;
  }

  /** Byte address of a buffer. */
  buffer(number: number): Value {
    const spec = this.module.buffers[number]!;
    return this.once(`buffer ${number}`, () => {
      if (!('space' in spec)) return this.#word(number);
      const start = spec.space === 'thread' ? this.scratch : this.sharedScratch();
      return spec.offset === 0 ? start : op('i32.add', start, i32(spec.offset));
    });
  }

  /** Byte address of the scratch that all threads share. */
  sharedScratch(): Value {
    return this.once('shared', () => this.#word(this.module.kernel.buffers.length));
  }

  /** A runtime scalar in all lanes; bool as a mask. */
  param(slot: number, dtype: WordDType): Value {
    const at = 4 * (this.module.kernel.buffers.length + 1 + slot);
    return this.once(`param ${slot} ${dtype}`, () => {
      const value = load('v128.load32_splat', this.table, at);
      return dtype === 'bool' ? op('i32x4.ne', value, splatI32(0)) : value;
    });
  }

  /** A constant in all lanes; bool as a mask. */
  constant(value: number, dtype: WordDType): Value {
    return this.word(dtype === 'bool' ? (value !== 0 ? -1 : 0) : bitsOf(value, dtype));
  }

  /** A 32-bit word in all lanes. Zeros and ones are cheaper made than kept. */
  word(value: number): Value {
    const bits = value >>> 0;
    if (bits === 0 || bits === 0xffffffff) return splatI32(bits);
    return this.once(`word ${bits}`, () => splatI32(bits));
  }

  #word(at: number): Value {
    return load('i32.load', this.table, 4 * at);
  }
}
