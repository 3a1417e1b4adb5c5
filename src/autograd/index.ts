export { backward, vjpRules } from './backward.js';
export { binaryGradients, unaryGradients } from './elementwise.js';
export { reduceGradients } from './reduce.js';
export type { VjpRule, VjpRules } from './rule.js';
