export { createReferenceEngine, type ReferenceOptions } from './engine.js';
export { evaluate, evaluateNodes } from './evaluate.js';
export { evaluateNode } from './interpreter.js';
