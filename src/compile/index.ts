export { cacheStats, currentEngine, engineInfo, type InitOptions, initEngine, memory } from './engines.js';
export { disposeNode, peekNode, type RealizeOptions, readNode, realize, storageOf } from './realize.js';
export { hostStorage, Storage } from './storage.js';
