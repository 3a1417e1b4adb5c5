export { createWebGPUEngine } from './engine.js';
export type { WebGPUOptions } from './options.js';
export type { RenderedKernel, RenderKernel } from './rendering.js';
export type { KernelTiming } from './timings.js';
