export * from './complex.js';
export * from './fft.js';
export * from './helpers.js';
export * from './manyAxes.js';
export * from './shortTime.js';
