import type { VjpRules } from './rule.js';

export const markerRules: Pick<VjpRules, 'alias' | 'stopGradient' | 'custom' | 'barrier'> = {
  alias: (_, g) => [g],
  stopGradient: () => [null],
  custom: (node, g, needs) => node.attrs.rule.backward(node, g, needs),
  barrier: (_, g) => [g, null],
};
