import { alias } from '../../graph/markers.js';
import { withGrad } from '../../graph/node.js';
import { like } from '../arithmetic.js';
import { backward } from '../backward.js';
import { constant } from './linear.js';
import type { JvpRules } from './rule.js';

export const markerJvp: Pick<JvpRules, 'alias' | 'stopGradient' | 'barrier' | 'custom'> = {
  alias: (_, [t]) => t!,
  stopGradient: constant,
  barrier: (_, [t]) => t ?? null,
  custom: (node, tangents) => {
    const { rule } = node.attrs;
    if (rule.transparent) return tangents[0]!;
    // The rule takes the cotangent to the gradients linearly; its transpose takes the tangents to the tangent.
    const { u, gradients } = withGrad(() => {
      const u = alias(like(node, 0));
      const needs = tangents.map((t, i) => i > 0 && t !== null);
      return { u, gradients: rule.backward(node, u, needs) };
    });
    const terms = gradients.flatMap((g, i) => (i > 0 && g !== null && tangents[i] ? [{ g, t: tangents[i] }] : []));
    return backward(
      terms.map(({ g }) => g),
      terms.map(({ t }) => t),
      [u],
    )[0]!;
  },
};
