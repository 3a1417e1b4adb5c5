import type { Engine, EngineInfo, EngineName, MemoryStats } from '../engine/engine.js';
import { debugLevel, setDebugLevel } from '../engine/environment.js';
import type { PlanListing, PlanOnlyEngine } from '../engine/plan-only/index.js';
import { createEngine, type EngineOptions } from '../engine/select/index.js';
import { ArgumentError } from '../graph/index.js';
import { build, cachePlace } from './cachePlace.js';
import { setRelay } from './events.js';
import type { CacheStats } from './programs.js';
import { Runtime } from './runtime.js';
import { formatSitesWith, recordSites } from './sites.js';

const NAMES: readonly (EngineName | 'auto')[] = ['auto', 'webgpu', 'wasm', 'tfjs', 'reference', 'plan-only'];

/** Options of `init`. */
export interface InitOptions extends EngineOptions {
  /** Which engine new work runs on; 'auto' takes the fastest that is there. */
  readonly engine?: EngineName | 'auto';
  /**
   * What is told on stderr (in a page: on its console): 1 or true a line per realization, 2 a line per kernel too, 3 the schedule too, 4 the
   * generated code too; from 1 on it is also recorded where tensors are made, for `leaks()` and OutOfMemoryError. false or 0 stops
   * that. Holds for all engines, and alone
   * changes nothing else; default TILLER_DEBUG, else 0.
   */
  readonly debug?: boolean | 0 | 1 | 2 | 3 | 4;
  /**
   * Whether plans and their code are kept for the processes to come: in the user's folder for caches, in browsers in an IndexedDB;
   * a text names another folder (or database). Default TILLER_CACHE (0, 1 or a folder), else true.
   */
  readonly cache?: boolean | string;
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
  const place = cachePlace(options.cache);
  const keep = place === undefined ? null : import('./persist/index.js').then((m) => m.keeperAt(place, build ?? ''));
  const runtime = new Runtime(startEngine(options), keep);
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

async function startEngine(options: InitOptions): Promise<Engine> {
  if (debugLevel() > 0) await applyDebugLevel();
  return createEngine(options.engine ?? 'auto', options);
}

async function applyDebugLevel(): Promise<void> {
  const on = debugLevel() > 0;
  recordSites(on);
  const { formatSite, printer } = await import('./debug.js');
  formatSitesWith(formatSite);
  setRelay(on ? printer : null);
}

async function setDebug(debug: unknown): Promise<void> {
  const level = Number(debug);
  if (![0, 1, 2, 3, 4].includes(level) || !['boolean', 'number'].includes(typeof debug)) {
    throw new ArgumentError(`[init] debug is ${String(debug)} (expected true, false, or a level of 0 to 4)`);
  }
  setDebugLevel(level);
  await applyDebugLevel();
  for (const runtime of runtimes.values()) runtime.startedEngine?.onTimings?.(null);
}

/**
 * Chooses the engine of new work and starts it. Called again with other options it switches: tensors stay on the engine where
 * they are, and mixing engines in one computation throws. Rejects with EngineUnavailableError, which says what to install.
 */
export async function initEngine(options: InitOptions = {}): Promise<EngineInfo> {
  if (typeof options !== 'object' || options === null) {
    throw new ArgumentError(`[init] options are ${String(options)} (expected an object such as { engine: 'webgpu' })`);
  }
  const { debug, ...rest } = options;
  const { engine: name, memoryBudget: budget } = rest;
  if (name !== undefined && !NAMES.includes(name)) {
    throw new ArgumentError(`[init] unknown engine: ${String(name)} (expected one of ${NAMES.join(', ')})`);
  }
  if (budget !== undefined && !(budget > 0)) {
    throw new ArgumentError(`[init] memoryBudget is ${String(budget)} (expected a positive number of bytes)`);
  }
  const { cache = true } = options;
  if (typeof cache !== 'boolean' && (typeof cache !== 'string' || cache === '')) {
    throw new ArgumentError(`[init] cache is ${String(cache) || "''"} (expected true, false or a folder)`);
  }
  if (debug !== undefined) await setDebug(debug);
  // Who only asks to be told more keeps the engine.
  const onlyDebug = debug !== undefined && Object.keys(rest).length === 0;
  const runtime = onlyDebug ? defaultRuntime() : runtimeFor(rest);
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

/** What holds memory of the engine of new work, and the programs that are ready to run on it. */
export const inspect = (): Pick<Runtime, 'holders' | 'programs'> => current ?? { holders: new Map(), programs: [] };

/**
 * Plan cache of the engine of new work: realizations that reused a plan, those that met a new structure, and how many of the latter found
 * its plan kept by an earlier process.
 */
export function cacheStats(): CacheStats {
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
