import type { VjpRules } from './rule.js';

export const markerRules: Pick<VjpRules, 'alias' | 'stopGradient'> = {
  alias: (_, g) => [g],
  stopGradient: () => [null],
};
