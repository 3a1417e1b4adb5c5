import type { Node, TypedArray } from '../../graph/index.js';
import type { Program } from '../engine.js';
import { type Instruction, slotsRead, type Tape } from './tape.js';
import type { Tf, TfInputs, TfTensor } from './tf.js';
import { fromTfArray, tfTypeOf, toTfArray } from './values.js';

/** What the slots of a run hold: tensors, and arrays of what is on the host. */
type Held = TfTensor | TypedArray | undefined;
type Step = (slots: Held[]) => void;

/** What was lowered, for reports. */
export interface Lowered {
  /** Products and convolutions that took their bias or activation into one kernel. */
  readonly fused: number;
  /** Operations that read values back to the host, with how often a program has them. */
  readonly readBack: ReadonlyMap<string, number>;
}

/** Slots of a graph's inputs, scalars and outputs. */
export interface Places {
  readonly inputs: readonly number[];
  readonly scalars: readonly number[];
  readonly outputs: readonly number[];
}

/** A graph as a list of kernel calls. Tensors that it needs in every run are kept as long as it is. */
export class TfProgram implements Program {
  readonly kernels = 0;
  readonly submits = 0;
  /** Kernel calls of one run by name. */
  readonly calls: ReadonlyMap<string, number>;
  private readonly steps: Step[];
  private readonly template: Held[];

  constructor(
    tf: Tf,
    tape: Tape,
    private readonly places: Places,
    readonly inputs: readonly Node[],
    readonly scalars: readonly Node[],
    readonly outputs: readonly Node[],
    readonly lowered: Lowered,
    /** Told of the tensors that it keeps: they go when it does. */
    kept: (program: TfProgram, tensors: readonly TfTensor[]) => void,
  ) {
    this.template = new Array<Held>(tape.slots).fill(undefined);
    for (const [slot, values] of tape.arrays) this.template[slot] = values;
    const tensors = tape.kept.map(({ slot, values, dtype, shape }) => {
      const tensor = tf.tensor(toTfArray(values, dtype), shape, tfTypeOf(dtype));
      this.template[slot] = tensor;
      return tensor;
    });
    kept(this, tensors);
    const calls = new Map<string, number>();
    for (const instruction of tape.instructions) {
      if (instruction.kind === 'kernel') calls.set(instruction.name, (calls.get(instruction.name) ?? 0) + 1);
    }
    this.calls = calls;
    const dying = lastUses(tape.instructions, new Set(places.outputs));
    this.steps = tape.instructions.flatMap((instruction, i) => {
      const step = stepOf(tf, instruction);
      const last = dying[i]!;
      return last.length === 0 ? [step] : [step, letGo(last)];
    });
  }

  /** The outputs as new tensors. What a run makes besides is disposed, whatever happens. */
  run(tf: Tf, inputs: readonly TfTensor[], scalars: readonly TypedArray[]): TfTensor[] {
    const slots = this.template.slice();
    this.places.inputs.forEach((slot, i) => {
      slots[slot] = inputs[i];
    });
    this.places.scalars.forEach((slot, i) => {
      slots[slot] = scalars[i];
    });
    try {
      for (const step of this.steps) step(slots);
      const seen = new Set<Held>([...inputs, ...this.template]);
      return this.places.outputs.map((slot) => {
        const tensor = slots[slot] as TfTensor;
        if (!seen.has(tensor)) {
          seen.add(tensor);
          return tensor;
        }
        return tf.engine().runKernel('Identity', { x: tensor }, {}) as TfTensor;
      });
    } catch (error) {
      const spared = new Set<Held>([...inputs, ...this.template]);
      for (const held of new Set(slots))
        if (held !== undefined && 'dispose' in held && !spared.has(held)) held.dispose();
      throw error;
    }
  }
}

/** For each instruction the slots of its tensors that nothing reads afterwards. Only what instructions make counts. */
function lastUses(instructions: readonly Instruction[], outputs: ReadonlySet<number>): number[][] {
  const tensors = new Set(
    instructions.filter(({ kind }) => kind === 'kernel' || kind === 'upload').map(({ out }) => out),
  );
  const seen = new Set(outputs);
  return [...instructions]
    .reverse()
    .map((instruction) => {
      const last: number[] = [];
      for (const slot of slotsRead(instruction)) {
        if (seen.has(slot)) continue;
        seen.add(slot);
        if (tensors.has(slot)) last.push(slot);
      }
      return last;
    })
    .reverse();
}

const letGo =
  (last: readonly number[]): Step =>
  (slots) => {
    for (const slot of last) {
      (slots[slot] as TfTensor).dispose();
      slots[slot] = undefined;
    }
  };

function stepOf(tf: Tf, instruction: Instruction): Step {
  const { out } = instruction;
  switch (instruction.kind) {
    case 'kernel':
      return kernelStep(tf, instruction);
    case 'host': {
      const { inputs, compute } = instruction;
      return (slots) => {
        slots[out] = compute(inputs.map((slot) => slots[slot] as TypedArray));
      };
    }
    case 'upload': {
      const { input, dtype, shape } = instruction;
      const type = tfTypeOf(dtype);
      return (slots) => {
        slots[out] = tf.tensor(toTfArray(slots[input] as TypedArray, dtype), shape, type);
      };
    }
    case 'download': {
      const { input, dtype } = instruction;
      return (slots) => {
        slots[out] = fromTfArray((slots[input] as TfTensor).dataSync(), dtype);
      };
    }
  }
}

/** Written out for the usual numbers of inputs: this is what a run spends its time in besides the kernels. */
function kernelStep(tf: Tf, { name, inputs, attrs, out }: Extract<Instruction, { kind: 'kernel' }>): Step {
  const engine = tf.engine();
  if (Array.isArray(inputs)) {
    return (slots) => {
      slots[out] = engine.runKernel(
        name,
        (inputs as number[]).map((slot) => slots[slot] as TfTensor),
        attrs,
      ) as TfTensor;
    };
  }
  const entries = Object.entries(inputs as Record<string, number>);
  const keys = entries.map(([key]) => key).join();
  const [p, q] = entries.map(([, slot]) => slot) as [number, number];
  if (keys === 'x') {
    return (slots) => {
      slots[out] = engine.runKernel(name, { x: slots[p] as TfTensor }, attrs) as TfTensor;
    };
  }
  if (keys === 'a,b') {
    return (slots) => {
      const given = { a: slots[p] as TfTensor, b: slots[q] as TfTensor };
      slots[out] = engine.runKernel(name, given, attrs) as TfTensor;
    };
  }
  return (slots) => {
    const given: TfInputs = {};
    for (const [key, slot] of entries) given[key] = slots[slot] as TfTensor;
    slots[out] = engine.runKernel(name, given, attrs) as TfTensor;
  };
}
