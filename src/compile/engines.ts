import type { Engine, EngineInfo, EngineName, MemoryStats } from '../engine/engine.js';
import type { PlanListing, PlanOnlyEngine } from '../engine/plan-only/index.js';
import { createEngine, type EngineOptions } from '../engine/select/index.js';
import { ArgumentError } from '../graph/index.js';
import { Runtime } from './runtime.js';

const NAMES: readonly (EngineName | 'auto')[] = ['auto', 'webgpu', 'wasm', 'tfjs', 'reference', 'plan-only'];

/** Options of `init`. */
export interface InitOptions extends EngineOptions {
  /** Which engine new work runs on; 'auto' takes the fastest that is there. */
  readonly engine?: EngineName | 'auto';
}

let current: Runtime | null = null;
const runtimes = new Map<string, Runtime>();

/** The runtime of new work; starts the automatic choice where none was made. */
export function defaultRuntime(): Runtime {
  current ??= runtimeFor({});
  return current;
}

function runtimeFor(options: InitOptions): Runtime {
  const key = JSON.stringify(options, Object.keys(options).sort());
  const existing = runtimes.get(key);
  if (existing !== undefined) return existing;
  const runtime = new Runtime(createEngine(options.engine ?? 'auto', options));
  runtimes.set(key, runtime);
  runtime.started().then(
    (engine) => {
      const forget = (): void => {
        if (runtimes.get(key) === runtime) runtimes.delete(key);
      };
      engine.lost.then(forget, forget);
    },
    () => runtimes.delete(key),
  );
  return runtime;
}

/**
 * Chooses the engine of new work and starts it. Called again with other options it switches: tensors stay on the engine where
 * they are, and mixing engines in one computation throws. Rejects with EngineUnavailableError, which says what to install.
 */
export async function initEngine(options: InitOptions = {}): Promise<EngineInfo> {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError(`[init] options are ${String(options)} (expected an object such as { engine: 'webgpu' })`);
  }
  if (options.engine !== undefined && !NAMES.includes(options.engine)) {
    throw new ArgumentError(`[init] unknown engine: ${String(options.engine)} (expected one of ${NAMES.join(', ')})`);
  }
  const runtime = runtimeFor(options);
  const engine = await runtime.started();
  current = runtime;
  return engine.info();
}

/** A runtime whose engine has this name, started or starting; where there is none, one is started with default options. */
export function runtimeNamed(engine: EngineName): Runtime {
  const all = current === null ? [...runtimes.values()] : [current, ...runtimes.values()];
  return all.find((r) => r.startedEngine?.name === engine) ?? runtimeFor({ engine });
}

/** The engine of new work, once started; null before. */
export const currentEngine = (): Engine | null => current?.startedEngine ?? null;

/** What executes the work, and why it was chosen. Throws before the first `init` or realization has finished. */
export function engineInfo(): EngineInfo {
  const engine = currentEngine();
  if (engine === null) throw new ArgumentError('[engineInfo] no engine has started yet (await tl.init() first)');
  return engine.info();
}

/** Bytes on the engine of new work: live in tensors and its arena, the peak of that, and pooled for reuse; zeros before it starts. */
export function memory(): MemoryStats {
  return currentEngine()?.memory() ?? { live: 0, peak: 0, pooled: 0, buffers: 0 };
}

/** Plan cache of the engine of new work: realizations that reused a plan, and those that made one. */
export function cacheStats(): { hits: number; misses: number } {
  return { ...defaultRuntime().cacheStats };
}

/**
 * What every realization since `init({ engine: 'plan-only' })` would have launched: kernels with their loop nests, WGSL and
 * bindings, submits and arena bytes. Throws ArgumentError on any other engine, which keeps no such list.
 */
export function plans(): PlanListing[] {
  const engine = currentEngine();
  if (engine?.name !== 'plan-only') {
    throw new ArgumentError(
      `[plans] the engine is ${engine?.name ?? 'not started'} (expected await tl.init({ engine: 'plan-only' }))`,
    );
  }
  const planOnly = engine as PlanOnlyEngine;
  return planOnly.runs.map((program) => planOnly.describe(program));
}
