export * from './dataLoader.js';
export * from './dataset.js';
export { SeededRandom } from './random.js';
export { seededPermutation } from './shuffle.js';
