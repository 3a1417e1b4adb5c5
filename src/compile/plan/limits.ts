import { BYTES_PER_ELEMENT, OutOfMemoryError, showShape, sizeOf } from '../../graph/index.js';

/** Refuses a tensor that no buffer of the engine could hold, before anything is allocated. */
export function checkBytes(node: { readonly shape: readonly number[]; readonly dtype: string }, most: number): void {
  const bytes = sizeOf(node.shape) * BYTES_PER_ELEMENT;
  if (bytes > most) {
    throw new OutOfMemoryError(
      `[realize] ${node.dtype}${showShape(node.shape)} takes ${bytes} bytes (a buffer of this engine holds at most ${most})`,
    );
  }
}
