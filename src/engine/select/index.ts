export { createEngine } from './createEngine.js';
export type { EngineOptions } from './options.js';
