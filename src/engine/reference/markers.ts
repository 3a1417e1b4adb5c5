import type { Evaluators } from './evaluator.js';

export const markers: Pick<Evaluators, 'alias' | 'stopGradient' | 'custom' | 'barrier'> = {
  alias: (_, [x]) => x!,
  stopGradient: (_, [x]) => x!,
  custom: (_, [x]) => x!,
  barrier: (_, [x]) => x!,
};
