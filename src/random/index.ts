export * from './activations.js';
export * from './choices.js';
export * from './continuous.js';
export * from './counts.js';
export type { DrawOptions } from './draws.js';
export * from './gamma.js';
export { Generator } from './generator.js';
