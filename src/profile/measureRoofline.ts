import { currentEngine, disposeNode, initEngine, realize } from '../compile/index.js';
import type { Engine } from '../engine/engine.js';
import type { KernelTiming } from '../engine/timing.js';
import {
  ArgumentError,
  binary,
  cast,
  dot,
  full,
  iota,
  type Node,
  OutOfMemoryError,
  type Shape,
  UnsupportedError,
} from '../graph/index.js';
import type { Roofline } from './roofline.js';

const measured = new WeakMap<Engine, Promise<Roofline>>();
let profiling = false;

/** A profile that is being taken has the engine's timings to itself. */
export function setProfiling(on: boolean): void {
  profiling = on;
}

export const isProfiling = (): boolean => profiling;

interface Sizes {
  /** Side lengths of the matrices, smallest first. */
  readonly sides: readonly number[];
  /** Elements of the sum. */
  readonly elements: number;
}

const INTERPRETED: Sizes = { sides: [64], elements: 2 ** 17 };
const ON_CPU: Sizes = { sides: [256, 512, 1024], elements: 2 ** 24 };
const ON_GPU: Sizes = { sides: [512, 1024, 2048, 4096], elements: 2 ** 25 };
/** A product that takes this long is large enough. */
const LONG_MS = 25;
const RUNS = 5;
const MAX_TIMING_WAIT_MS = 2000;
const F32_BYTES = 4;

function sizesFor({ kind, capabilities }: Engine): Sizes {
  const { sides, elements } = kind === 'graph' ? INTERPRETED : capabilities.software ? ON_CPU : ON_GPU;
  const most = Math.min(capabilities.maxBindingBytes, capabilities.maxBufferBytes) / F32_BYTES;
  return { sides: sides.filter((side) => side * side <= most), elements: Math.min(elements, most) };
}

/** The least milliseconds of several runs of one computation, by the engine's own timing where it tells. */
async function bestOf(engine: Engine, work: { flops: number; bytes: number }, make: () => Node): Promise<number> {
  const sum = (timings: readonly KernelTiming[], key: 'ms' | 'flops' | 'bytes'): number =>
    timings.reduce((total, timing) => total + timing[key], 0);
  const told: number[] = [];
  engine.onTimings?.((timings) => {
    // What else runs meanwhile does not count.
    if (sum(timings, 'flops') >= work.flops && sum(timings, 'bytes') >= work.bytes) told.push(sum(timings, 'ms'));
  });
  const clock: number[] = [];
  try {
    // The first run compiles.
    for (let run = 0; run <= RUNS; run++) {
      const result = make();
      const start = performance.now();
      await realize([result]);
      await engine.idle();
      if (run > 0) clock.push(performance.now() - start);
      disposeNode(result);
    }
    const limit = performance.now() + MAX_TIMING_WAIT_MS;
    while (told.length > 0 && told.length <= RUNS && performance.now() < limit) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  } finally {
    engine.onTimings?.(null);
  }
  return Math.min(...(told.length > 0 ? told : clock));
}

/** Numbers of no particular kind, on the engine. Random ones would change what the program draws next. */
async function filled(shape: Shape): Promise<Node> {
  const x = binary('mul', cast(iota(shape, shape.length - 1), 'f32'), full(shape, 0.618, 'f32'));
  await realize([x]);
  return x;
}

async function measureProduct(engine: Engine, sides: readonly number[]): Promise<number> {
  let best = 0;
  for (const side of sides) {
    const [a, b] = [await filled([side, side]), await filled([side, side])];
    try {
      const flops = 2 * side ** 3;
      const ms = await bestOf(engine, { flops, bytes: 0 }, () => dot(a, b));
      best = Math.max(best, flops / ms / 1e6);
      if (ms > LONG_MS) break;
    } finally {
      disposeNode(a);
      disposeNode(b);
    }
  }
  return best;
}

async function measureSum(engine: Engine, elements: number): Promise<number> {
  try {
    const x = await filled([elements]);
    const one = full([elements], 1, 'f32');
    const bytes = 2 * F32_BYTES * elements;
    try {
      return bytes / (await bestOf(engine, { flops: 0, bytes }, () => binary('add', x, one))) / 1e6;
    } finally {
      disposeNode(x);
    }
  } catch (error) {
    // Under a small memory budget a smaller sum has to do.
    if (!(error instanceof OutOfMemoryError) || elements < 2 ** 12) throw error;
    return measureSum(engine, elements / 4);
  }
}

async function measureRoofline(engine: Engine): Promise<Roofline> {
  if (engine.name === 'plan-only') {
    throw new UnsupportedError("[roofline] the engine 'plan-only' computes nothing (use another engine)");
  }
  const { sides, elements } = sizesFor(engine);
  const stamped = engine.name === 'webgpu' && engine.info().features.includes('timestamp-query');
  return {
    gflops: await measureProduct(engine, sides),
    gbs: await measureSum(engine, elements),
    timedBy: stamped ? 'timestamps' : 'clock',
  };
}

/** Measured once per engine. */
export async function measuredRoofline(): Promise<Roofline> {
  if (currentEngine() === null) await initEngine();
  const engine = currentEngine()!;
  let result = measured.get(engine);
  if (result === undefined) {
    if (profiling) {
      throw new ArgumentError('[roofline] a profile is being taken (expected profile(fn, { roofline: true }))');
    }
    result = measureRoofline(engine);
    measured.set(engine, result);
    // A failure may have been for want of memory.
    result.catch(() => measured.delete(engine));
  }
  return result;
}
