import type { Subgroups } from '../render/wgsl-subgroups.js';

/** A product that matrix units make at once: m x k times k x n, of numbers of type `component`, added to f32. */
export interface MatrixConfig {
  readonly component: 'f16' | 'f32';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** What multiplies matrices across the invocations of a subgroup (`chromium-experimental-subgroup-matrix`), tried out by `checkMatrix`. */
export interface MatrixUnits {
  readonly subgroups: Subgroups;
  /** At most one for each type of component. */
  readonly configs: readonly MatrixConfig[];
}
