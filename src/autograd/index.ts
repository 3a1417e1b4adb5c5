export { backward, vjpRules } from './backward.js';
export { batchRules, Examples, type Lifted } from './batch/index.js';
export { copyOnto, recomputed } from './checkpoint.js';
export { binaryGradients, unaryGradients } from './elementwise.js';
export { jvpRules, pushForward } from './jvp/index.js';
export { foldWindows } from './movement.js';
export { reduceGradients } from './reduce.js';
export type { VjpRule, VjpRules } from './rule.js';
