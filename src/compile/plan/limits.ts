import { bytesFor, type DType, OutOfMemoryError, showShape, sizeOf } from '../../graph/index.js';

/** Refuses a tensor that no buffer of the engine could hold, before anything is allocated. */
export function checkBytes(node: { readonly shape: readonly number[]; readonly dtype: DType }, most: number): void {
  const bytes = bytesFor(sizeOf(node.shape), node.dtype);
  if (bytes > most) {
    throw new OutOfMemoryError(
      `[realize] ${node.dtype}${showShape(node.shape)} takes ${bytes} bytes (a buffer of this engine holds at most ${most})`,
    );
  }
}
