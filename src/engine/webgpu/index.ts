export type { KernelTiming } from '../timing.js';
export { createWebGPUEngine } from './engine.js';
export type { WebGPUOptions } from './options.js';
export type { RenderedKernel, RenderKernel } from './rendering.js';
