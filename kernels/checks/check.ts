export interface Verdict {
  /** What is wrong, in words; null if nothing is. */
  readonly fault: string | null;
}

/** A kernel that tries out what an adapter does by itself, against what it computes from operations that every adapter gets right. */
export interface Check<V extends Verdict> {
  /** WGSL with an entry point `main`, whose bindings are the buffers. */
  readonly code: string;
  readonly workgroups: readonly [number, number, number];
  /** What the buffers hold before. */
  readonly buffers: readonly Uint32Array<ArrayBuffer>[];
  /** What follows from what the last buffer holds after. */
  verdict(words: Uint32Array): V;
}
