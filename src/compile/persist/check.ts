import type { CodedKernel, CodedPlan, PlanBuffer } from '../../engine/plan.js';
import { bytesFor, type DType, type Shape, sizeOf, wideDType } from '../../graph/index.js';
import type { Snapshot } from '../snapshot.js';

/** What a graph demands of its plan. */
export interface Signature {
  readonly inputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
  readonly donated: readonly boolean[];
  readonly scalars: readonly DType[];
  readonly outputs: readonly { readonly shape: Shape; readonly dtype: DType }[];
}

/** The signature of a captured graph; constants listed in `promoted` are scalars after its own. */
export function signatureOf(snap: Snapshot, donated: readonly boolean[], promoted: readonly number[]): Signature {
  const dtypes = snap.entries.flatMap((entry) => (entry.kind === 'constant' ? [entry.dtype] : []));
  return {
    inputs: snap.inputs,
    donated,
    scalars: [...snap.scalars.map(({ dtype }) => dtype), ...promoted.map((at) => dtypes[at]!)].map(wideDType),
    outputs: snap.roots.map((root) => {
      const entry = snap.entries[root]!;
      if (entry.kind === 'leaf') return snap.inputs[entry.source]!;
      if (entry.kind === 'scalar') return { shape: [], dtype: snap.scalars[entry.source]!.dtype };
      return entry.kind === 'constant' ? { shape: [], dtype: entry.dtype } : entry;
    }),
  };
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
const isIndex = (value: unknown, length: number): boolean => isCount(value) && value < length;
const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  Array.isArray(a) && a.length === b.length && a.every((value, i) => value === b[i]);

type Typed = { readonly shape: Shape; readonly dtype: DType };
const isTyped = (value: Typed, { shape, dtype }: Typed): boolean => value.dtype === dtype && isSame(value.shape, shape);
const bytesOf = ({ shape, dtype }: Typed): number => bytesFor(sizeOf(shape), dtype);

function isBuffer({ bytes, place }: PlanBuffer, plan: CodedPlan, { inputs, outputs }: Signature): boolean {
  if (!isCount(bytes) || bytes % 4 !== 0) return false;
  switch (place.kind) {
    case 'input':
      return isIndex(place.index, inputs.length) && bytes === bytesOf(inputs[place.index]!);
    case 'output':
      return isIndex(place.index, outputs.length) && bytes === bytesOf(outputs[place.index]!);
    case 'arena':
      return isCount(place.offset) && place.offset % 256 === 0 && place.offset + bytes <= plan.arenaBytes;
    default:
      return false;
  }
}

/** Whether two ranges that one kernel binds are apart. */
function areApart(a: PlanBuffer, b: PlanBuffer): boolean {
  if (a.place.kind !== 'arena' || b.place.kind !== 'arena') return true;
  return a.place.offset + a.bytes <= b.place.offset || b.place.offset + b.bytes <= a.place.offset;
}

function isKernel(
  { kernel, bindings, params }: CodedKernel,
  { buffers }: CodedPlan,
  scalars: readonly DType[],
): boolean {
  return (
    typeof kernel.name === 'string' &&
    Number.isFinite(kernel.flops) &&
    bindings.length === kernel.buffers.length &&
    new Set(bindings).size === bindings.length &&
    bindings.every(
      (buffer, i) =>
        isIndex(buffer, buffers.length) &&
        isCount(kernel.buffers[i]!.length) &&
        ['read', 'write', 'readwrite'].includes(kernel.buffers[i]!.access) &&
        kernel.buffers[i]!.length * 4 <= buffers[buffer]!.bytes &&
        bindings.every((other, j) => j >= i || areApart(buffers[buffer]!, buffers[other]!)),
    ) &&
    params.length === kernel.params.length &&
    params.every((scalar, slot) => isIndex(scalar, scalars.length) && scalars[scalar] === kernel.params[slot])
  );
}

/** Whether a plan that was read from a cache is one of this signature and consistent; the form of its code is the engine's to check. */
export function isPlanOf(plan: CodedPlan, signature: Signature): boolean {
  const { inputs, donated, scalars, outputs } = signature;
  try {
    return (
      isCount(plan.arenaBytes) &&
      plan.inputs.length === inputs.length &&
      plan.inputs.every((input, i) => isTyped(input, inputs[i]!) && input.donated === donated[i]) &&
      isSame(plan.scalars, scalars) &&
      plan.buffers.every((buffer) => isBuffer(buffer, plan, signature)) &&
      plan.outputs.length === outputs.length &&
      new Set(plan.outputs.map(({ buffer }) => buffer)).size === outputs.length &&
      plan.outputs.every((output, i) => {
        if (!isTyped(output, outputs[i]!) || !isIndex(output.buffer, plan.buffers.length)) return false;
        const { bytes, place } = plan.buffers[output.buffer]!;
        if (bytes !== bytesOf(output)) return false;
        return place.kind === 'output' ? place.index === i : place.kind === 'input' && donated[place.index]!;
      }) &&
      plan.kernels.every((kernel) => isKernel(kernel, plan, scalars))
    );
  } catch {
    // Something is not of the kind that it should be.
    return false;
  }
}
