/** Writes expressions of the kernel IR as WGSL: for the loop renderer, and for kernel families with a body of their own. */
export { WgslModule } from './wgsl-module.js';
export { type ScopeBindings, WgslScope, type WgslValue } from './wgsl-scope.js';
export type { Width } from './wgsl-values.js';
