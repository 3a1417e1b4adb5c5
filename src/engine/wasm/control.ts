/**
 * The words that the threads of an engine share besides its memory, in an array of their own: it never moves. Words that different
 * threads write while others wait for them lie on cache lines of their own.
 */
export const CONTROL = {
  /** Changes when there is something to look at; workers sleep on it. */
  signal: 0,
  /** Set when workers should end. */
  stop: 1,
  /** Workers that sleep, or are about to. */
  sleeping: 16,
  /** 1 while there is a job. What follows is written before it is set, and stays until `active` is 0 again. */
  open: 32,
  /** Number of the kernel, of its phase; the phase's tasks and how many a thread takes at once. */
  kernel: 33,
  phase: 34,
  tasks: 35,
  chunk: 36,
  /** Byte addresses: of the kernel's table, of the workers' scratch (a stride apart). */
  table: 37,
  scratch: 38,
  scratchStride: 39,
  /** Where the kernel's code lies, for workers that lack it. */
  code: 40,
  codeBytes: 41,
  /** Workers inside a job. */
  active: 48,
  /** 1 while the calling thread sleeps until `active` is 0. */
  waiting: 64,
  /** The first task that nobody has taken. */
  next: 80,
  /** A bit for each worker that has the kernel of the job. */
  holders: 96,
  /** 1 when a worker's part of the job failed; then its message, as its length and UTF-16 units. */
  failed: 112,
  failureLength: 113,
  failure: 114,
  failureMost: 270,
  /** For each worker, by its index: 1 once it has started, 2 while it is inside a job. */
  ready: 384,
  words: 416,
  /** Kernels that a worker keeps, at their number modulo this. */
  slots: 1024,
} as const;

/** A worker's bit in `holders` fits a word. */
export const MAX_WORKERS = 31;
