export { createTfjsEngine, type TfjsOptions } from './engine.js';
export type { TfjsBackend } from './packages.js';
