import { ArgumentError, EngineUnavailableError } from '../../graph/index.js';
import type { Engine, EngineName } from '../engine.js';
import type { LoadedTf } from '../tfjs/packages.js';
import type { EngineOptions } from './options.js';

// Engines are loaded when they are chosen: an import of tiller costs a browser none of them.
type Maker = (options: EngineOptions) => Promise<Engine>;

const MAKERS: Record<EngineName, Maker> = {
  webgpu: async (options) => {
    const { createWebGPUEngine } = await import('../webgpu/index.js');
    return createWebGPUEngine(options);
  },
  wasm: async (options) => {
    const { createWasmEngine } = await import('../wasm/index.js');
    return createWasmEngine(options);
  },
  tfjs: async (options) => {
    const { createTfjsEngine } = await import('../tfjs/index.js');
    return createTfjsEngine(options);
  },
  reference: async ({ memoryBudget }) => {
    const { createReferenceEngine } = await import('../reference/index.js');
    return createReferenceEngine(memoryBudget === undefined ? {} : { memoryBudget });
  },
  'plan-only': async () => {
    const { createPlanOnlyEngine } = await import('../plan-only/index.js');
    return createPlanOnlyEngine();
  },
};

/**
 * Makes an engine. 'auto' takes hardware WebGPU, else CUDA through TensorFlow.js, else WebAssembly, else `reference`; a software adapter is
 * used only where 'webgpu' is asked for by name. Rejects with EngineUnavailableError (what was looked for, what to install) or ArgumentError
 * (no such name).
 */
export async function createEngine(name: EngineName | 'auto', options: EngineOptions = {}): Promise<Engine> {
  if (name === 'auto') return chooseEngine(options);
  if (!Object.hasOwn(MAKERS, name)) {
    throw new ArgumentError(
      `[init] unknown engine: ${String(name)} (expected one of auto, ${Object.keys(MAKERS).join(', ')})`,
    );
  }
  return MAKERS[name](options);
}

async function chooseEngine(options: EngineOptions): Promise<Engine> {
  const tried: string[] = [];
  /** The engine, or null where it cannot be had, which is then on the list. */
  const attempt = async (name: string, engine: Promise<Engine>): Promise<Engine | null> => {
    try {
      return await engine;
    } catch (error) {
      if (!(error instanceof EngineUnavailableError)) throw error;
      tried.push(`${name}: ${error.message}`);
      return null;
    }
  };
  const { createWebGPUEngine } = await import('../webgpu/index.js');
  const why = 'auto: a hardware WebGPU adapter';
  const webgpu = await attempt('webgpu', createWebGPUEngine({ ...options, allowSoftware: false, why }));
  if (webgpu) return webgpu;
  // The packages alone first: where they are missing, as nearly everywhere, nothing else is loaded.
  const { loadCuda } = await import('../tfjs/packages.js');
  const cuda = await attempt(
    'tfjs',
    loadCuda().then((loaded) => createCudaEngine(options, loaded)),
  );
  if (cuda) return cuda;
  const { createWasmEngine } = await import('../wasm/index.js');
  const soFar = `auto: ${tried.join('; ')}; WebAssembly computes everywhere`;
  const wasm = await attempt('wasm', createWasmEngine({ ...options, why: soFar }));
  if (wasm) return wasm;
  return withReason(
    await MAKERS.reference(options),
    `auto: ${tried.join('; ')}; reference computes everywhere, slowly`,
  );
}

async function createCudaEngine(options: EngineOptions, loaded: LoadedTf): Promise<Engine> {
  const { createTfjsEngine } = await import('../tfjs/index.js');
  return createTfjsEngine({ ...options, why: 'auto: CUDA through TensorFlow.js' }, loaded);
}

/** The engine, telling why it was chosen. */
function withReason(engine: Engine, why: string): Engine {
  const info = engine.info.bind(engine);
  engine.info = () => ({ ...info(), why });
  return engine;
}
