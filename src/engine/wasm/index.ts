export { createWasmEngine } from './engine.js';
export type { RenderWasmKernel, WasmOptions } from './options.js';
