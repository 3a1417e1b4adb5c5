import { tableWords, type WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import { type DType, InternalError, OutOfMemoryError } from '../../graph/index.js';
import type { Capabilities, Program } from '../engine.js';
import type { WasmPlan, WasmPlannedKernel } from './coder.js';
import type { CompiledModule, ModuleCache } from './modules.js';
import { StepPhase } from './phase.js';

/** A kernel of a plan, as it runs. */
export interface Step {
  readonly planned: WasmPlannedKernel;
  readonly phases: readonly StepPhase[];
  /** Its table's place among the program's, in words. */
  readonly table: number;
}

/** Where a scalar goes: the index of its value in the run's list, and its word among the tables. */
interface ScalarSlot {
  readonly scalar: number;
  readonly dtype: DType;
  readonly word: number;
}

/** A plan whose kernels are compiled. */
export class WasmProgram implements Program {
  readonly submits: number;
  readonly plan: WasmPlan;
  readonly steps: readonly Step[];
  /** Words of all tables together. */
  readonly tableWords: number;
  /** Of the kernel that needs most. */
  readonly sharedScratchBytes: number;
  readonly threadScratchBytes: number;
  /** Word among the tables, index of the plan's buffer: in turns. */
  readonly #addresses: Int32Array;
  /** Words that hold the address of the shared scratch. */
  readonly #scratchWords: Int32Array;
  readonly #scalars: readonly ScalarSlot[];

  constructor(plan: WasmPlan, kernels: readonly { planned: WasmPlannedKernel; phases: StepPhase[] }[]) {
    const addresses: number[] = [];
    const scratch: number[] = [];
    const scalars: ScalarSlot[] = [];
    let words = 0;
    this.steps = kernels.map(({ planned, phases }) => {
      const { kernel, bindings, params } = planned;
      const table = words;
      bindings.forEach((buffer, i) => {
        addresses.push(table + i, buffer);
      });
      scratch.push(table + bindings.length);
      kernel.params.forEach((dtype, slot) => {
        scalars.push({ scalar: params[slot]!, dtype, word: table + bindings.length + 1 + slot });
      });
      words += tableWords(bindings.length, kernel.params.length);
      return { planned, phases, table };
    });
    this.plan = plan;
    this.submits = kernels.length > 0 ? 1 : 0;
    this.tableWords = words;
    this.sharedScratchBytes = Math.max(0, ...kernels.map(({ planned }) => planned.code.sharedScratchBytes));
    this.threadScratchBytes = Math.max(0, ...kernels.map(({ planned }) => planned.code.threadScratchBytes));
    this.#addresses = Int32Array.from(addresses);
    this.#scratchWords = Int32Array.from(scratch);
    this.#scalars = scalars;
  }

  get kernels(): number {
    return this.steps.length;
  }

  /** Threads that its largest phase is worth, of `most`. */
  threads(most: number, splitFrom: number): number {
    let threads = 1;
    if (most === 1) return threads;
    for (const { phases } of this.steps) {
      for (const phase of phases) threads = Math.max(threads, phase.threads(most, splitFrom));
    }
    return threads;
  }

  /** Writes the tables from word `at` of the memory on; `addresses` are of the plan's buffers. */
  writeTables(
    { i32, f32 }: { readonly i32: Int32Array; readonly f32: Float32Array },
    at: number,
    addresses: readonly number[],
    sharedScratch: number,
    scalars: readonly number[],
  ): void {
    const places = this.#addresses;
    for (let i = 0; i < places.length; i += 2) i32[at + places[i]!] = addresses[places[i + 1]!]!;
    for (const word of this.#scratchWords) i32[at + word] = sharedScratch;
    for (const { scalar, dtype, word } of this.#scalars) {
      const value = scalars[scalar]!;
      // Typed arrays wrap integers and round floats as storing them would.
      if (dtype === 'f32') f32[at + word] = value;
      else i32[at + word] = dtype === 'bool' ? Number(value !== 0) : value;
    }
  }
}

/** Compiles a plan, and calls `onKernel` as each of its kernels is ready. Rejects with EngineError (code that does not compile) or OutOfMemoryError. */
export async function prepareProgram(
  plan: WasmPlan,
  modules: ModuleCache,
  capabilities: Capabilities,
  onKernel?: () => void,
): Promise<WasmProgram> {
  if (plan.arenaBytes > capabilities.maxBufferBytes) {
    throw new OutOfMemoryError(
      `[wasm] intermediate results need ${plan.arenaBytes} bytes (a range of the memory has at most ${capabilities.maxBufferBytes})`,
    );
  }
  for (const planned of plan.kernels) check(plan, planned);
  // All are started before the first is awaited: they compile side by side.
  const kernels = await Promise.all(
    plan.kernels.map(async (planned) => {
      const { code, kernel } = planned;
      const isEmpty = code.phases.length > 0 && code.phases.every(({ tasks }) => tasks <= 0);
      const phases = isEmpty ? [] : phasesOf(kernel.name, code, await modules.moduleOf(kernel.name, code));
      onKernel?.();
      return { planned, phases };
    }),
  );
  return new WasmProgram(
    plan,
    kernels.filter(({ phases }) => phases.length > 0),
  );
}

function phasesOf(kernel: string, { phases }: WasmKernel, module: CompiledModule): StepPhase[] {
  if (module.phases.length !== phases.length) {
    throw new InternalError(
      `[wasm] kernel ${kernel} exports ${module.phases.length} functions (expected ${phases.length})`,
    );
  }
  return phases.flatMap((phase, index) => (phase.tasks > 0 ? [new StepPhase(kernel, module, index, phase)] : []));
}

/** Kernels count on the lengths of their buffers, and nothing else keeps them from reaching beyond. */
function check(plan: WasmPlan, { kernel, bindings, params }: WasmPlannedKernel): void {
  const refuse = (what: string): never => {
    throw new InternalError(`[wasm] kernel ${kernel.name} ${what}`);
  };
  if (bindings.length !== kernel.buffers.length) {
    refuse(`has ${kernel.buffers.length} buffers, of which the plan binds ${bindings.length}`);
  }
  kernel.buffers.forEach(({ length }, i) => {
    const bytes = plan.buffers[bindings[i]!]!.bytes;
    const needed = length * 4;
    if (bytes < needed) refuse(`needs ${needed} bytes at binding ${i} (the plan has ${bytes} there)`);
  });
  kernel.params.forEach((dtype, slot) => {
    const scalar = params[slot]!;
    if (plan.scalars[scalar] !== dtype) {
      refuse(`takes param ${slot} as ${dtype}: scalar ${scalar} is ${plan.scalars[scalar]}`);
    }
  });
}
