import { type DType, type Shape, sizeOf, type TypedArray } from '../../graph/index.js';
import type { TfAttrs, TfType } from './tf.js';

/** A value on the backend, while a program is made: which slot of a run holds it. */
export interface Ref {
  readonly slot: number;
  readonly shape: Shape;
  readonly type: TfType;
}

/** A value in an array of its dtype. */
export interface HostRef {
  readonly slot: number;
  readonly dtype: DType;
}

export type Instruction =
  | {
      readonly kind: 'kernel';
      readonly name: string;
      readonly inputs: Readonly<Record<string, number>> | readonly number[];
      readonly attrs: TfAttrs;
      readonly out: number;
    }
  | {
      readonly kind: 'host';
      /** What of a graph it stands for, where values were read back for it. */
      readonly compute: (inputs: readonly TypedArray[]) => TypedArray;
      readonly inputs: readonly number[];
      readonly out: number;
    }
  | {
      readonly kind: 'upload';
      readonly input: number;
      readonly dtype: DType;
      readonly shape: Shape;
      readonly out: number;
    }
  | { readonly kind: 'download'; readonly input: number; readonly dtype: DType; readonly out: number };

/** A tensor that a program keeps. */
export interface KeptTensor {
  readonly slot: number;
  readonly values: TypedArray;
  readonly dtype: DType;
  readonly shape: Shape;
}

export const slotsRead = (instruction: Instruction): readonly number[] => {
  switch (instruction.kind) {
    case 'kernel':
      return Array.isArray(instruction.inputs) ? instruction.inputs : Object.values(instruction.inputs);
    case 'host':
      return instruction.inputs;
    default:
      return [instruction.input];
  }
};

/** The instructions of a program in the making, in order. Every slot is written once. */
export class Tape {
  readonly instructions: Instruction[] = [];
  readonly kept: KeptTensor[] = [];
  /** Arrays that a program keeps, by slot. */
  readonly arrays = new Map<number, TypedArray>();
  private readonly known = new Map<string, Ref>();
  private nextSlot = 0;

  newSlot(): number {
    return this.nextSlot++;
  }

  get slots(): number {
    return this.nextSlot;
  }

  /** A kernel of the backend. The same one on the same inputs is not run twice. */
  kernel(
    name: string,
    inputs: Readonly<Record<string, Ref>> | readonly Ref[],
    attrs: TfAttrs,
    shape: Shape,
    type: TfType,
  ): Ref {
    const slots = Array.isArray(inputs)
      ? (inputs as readonly Ref[]).map(({ slot }) => slot)
      : Object.fromEntries(Object.entries(inputs).map(([key, { slot }]) => [key, slot]));
    const key = JSON.stringify([name, slots, attrs, shape], exactNumbers);
    const found = this.known.get(key);
    if (found !== undefined) return found;
    const ref: Ref = { slot: this.newSlot(), shape, type };
    this.instructions.push({ kind: 'kernel', name, inputs: slots, attrs, out: ref.slot });
    this.known.set(key, ref);
    return ref;
  }

  host(compute: (inputs: readonly TypedArray[]) => TypedArray, inputs: readonly HostRef[], dtype: DType): HostRef {
    const slot = this.newSlot();
    this.instructions.push({ kind: 'host', compute, inputs: inputs.map((input) => input.slot), out: slot });
    return { slot, dtype };
  }

  upload(input: HostRef, shape: Shape, type: TfType): Ref {
    const slot = this.newSlot();
    this.instructions.push({ kind: 'upload', input: input.slot, dtype: input.dtype, shape, out: slot });
    return { slot, shape, type };
  }

  download(input: Ref, dtype: DType): HostRef {
    const slot = this.newSlot();
    this.instructions.push({ kind: 'download', input: input.slot, dtype, out: slot });
    return { slot, dtype };
  }

  /** A tensor that is made once. */
  keep(values: TypedArray, dtype: DType, shape: Shape, type: TfType): Ref {
    const key = values.length <= 16 ? JSON.stringify([dtype, shape, [...values]], exactNumbers) : null;
    const found = key === null ? undefined : this.known.get(key);
    if (found !== undefined) return found;
    const ref: Ref = { slot: this.newSlot(), shape, type };
    this.kept.push({ slot: ref.slot, values, dtype, shape });
    if (key !== null) this.known.set(key, ref);
    return ref;
  }

  /** An array that is there in every run. */
  keepArray(values: TypedArray, dtype: DType): HostRef {
    const slot = this.newSlot();
    this.arrays.set(slot, values);
    return { slot, dtype };
  }

  /** Drops what no output needs. */
  prune(outputs: readonly number[]): void {
    const needed = new Set(outputs);
    const live = this.instructions.reverse().filter((instruction) => {
      if (!needed.has(instruction.out)) return false;
      for (const slot of slotsRead(instruction)) needed.add(slot);
      return true;
    });
    this.instructions.length = 0;
    this.instructions.push(...live.reverse());
    const kept = this.kept.filter(({ slot }) => needed.has(slot));
    this.kept.length = 0;
    this.kept.push(...kept);
  }
}

/** JSON has no NaN, infinities or -0. */
const exactNumbers = (_: string, value: unknown): unknown =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `#${Object.is(value, -0) ? '-0' : value}`
    : value;

/** Whether there are no elements. */
export const isEmpty = (shape: Shape): boolean => sizeOf(shape) === 0;
