export interface Verdict {
  /** What is wrong, in words; null if nothing is. */
  readonly fault: string | null;
}

/** A kernel that tries out what an adapter does by itself, against what it computes from operations that every adapter gets right. */
export interface Check<V extends Verdict> {
  /** WGSL with an entry point `main`; binding 0 is its storage. */
  readonly code: string;
  readonly workgroups: readonly [number, number, number];
  /** What the storage holds before. */
  readonly words: Uint32Array<ArrayBuffer>;
  /** What follows from what the storage holds after. */
  verdict(words: Uint32Array): V;
}
