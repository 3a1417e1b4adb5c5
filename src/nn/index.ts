export * from './activation.js';
export { Conv2d, type Conv2dOptions, MaxPool2d } from './convolution.js';
export * from './embedding.js';
export { Linear, type LinearOptions } from './linear.js';
export * from './loss.js';
export * from './module.js';
export * from './normalization.js';
export { parameter } from './parameter.js';
export * from './sequential.js';
