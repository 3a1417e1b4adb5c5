/**
 * How Dawn in Node waits. Its binding asks "is it done?" from one `setImmediate` to the next as long as anything is
 * pending, which occupies a core; where the GPU is software that core is the GPU (measured: a run takes up to 1.9 times as long).
 *
 * The binding looks `setImmediate` up on the global object each time, inside the call that starts an operation and inside
 * its own ticks. So for just these moments a gentler one stands there; no other code runs in them.
 */

/** Short waits poll at full speed, for latency; longer ones once per timer tick. */
const FULL_SPEED_MS = 0.5;
const TICK_MS = 1;

type Callback = (...args: unknown[]) => void;
type ImmediateHolder = { setImmediate: (callback: Callback, ...args: unknown[]) => unknown };

// Kept from load time: fake timers of a test framework must not stop the GPU.
const immediately = typeof setImmediate === 'function' ? setImmediate : undefined;
const later = setTimeout;

let startedAt = 0;

/** Starts an asynchronous operation of Dawn (`start` returns its promise) such that waiting for it costs little. */
export function pollGently<T>(start: () => T): T {
  startedAt = performance.now();
  return withGentleImmediate(start);
}

function withGentleImmediate<T>(body: () => T): T {
  const holder = globalThis as unknown as ImmediateHolder;
  const before = holder.setImmediate;
  holder.setImmediate = gentleImmediate;
  try {
    return body();
  } finally {
    holder.setImmediate = before;
  }
}

function gentleImmediate(callback: Callback, ...args: unknown[]): unknown {
  const tick = () => withGentleImmediate(() => callback(...args));
  const patient = immediately === undefined || performance.now() - startedAt > FULL_SPEED_MS;
  return patient ? later(tick, TICK_MS) : immediately(tick);
}
