/** How an engine is made; each engine takes what concerns it. */
export interface EngineOptions {
  /** WebGPU: which GPU, where there are two. Default 'high-performance'. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /**
   * WebGPU in Node: keeps its validation and bounds checks on. Off by default, because generated kernels check their own
   * bounds and the calls are the engine's; on under TILLER_DAWN=validate and TILLER_DEBUG >= 1. Browsers always validate.
   */
  readonly validate?: boolean;
  /** WebGPU in Node: further toggles of Dawn, e.g. `dump_shaders`; with a leading `-` they are switched off. */
  readonly dawnToggles?: readonly string[];
  /**
   * WebGPU: multiplies by the adapter's matrix units (`chromium-experimental-subgroup-matrix`, a feature in flux) where it has some and they
   * get a test product right: f16 by f16, and f32 where they have that, with sums in f32. Default false.
   */
  readonly subgroupMatrix?: boolean;
  /** Most bytes that tensors and intermediate results may take; OutOfMemoryError beyond. Default no limit but the device's. */
  readonly memoryBudget?: number;
  /** TensorFlow.js: which backend computes; default the first of these that is installed. */
  readonly backend?: 'node-gpu' | 'node' | 'wasm' | 'cpu';
  /** WebAssembly: threads to compute on, the calling one included; default TILLER_THREADS, else one per core up to 16. */
  readonly threads?: number;
  /** WebAssembly: whether to use the fused multiply-add of relaxed SIMD where there is one; default true. */
  readonly relaxedSimd?: boolean;
}
