export * from './rendered.js';
export * from './schedule.js';
export { renderLoopKernel } from './wgsl-loop.js';
export * from './wgsl-writer.js';
