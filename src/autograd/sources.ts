import type { VjpRules } from './rule.js';

/** Sources depend on nothing that has a gradient. */
export const sourceRules: Pick<VjpRules, 'leaf' | 'const' | 'scalar' | 'iota' | 'randomBits'> = {
  leaf: () => [],
  const: () => [],
  scalar: () => [],
  iota: () => [],
  randomBits: () => [null, null],
};
