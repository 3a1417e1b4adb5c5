import * as tl from 'tiller';
import { expect } from 'vitest';
import { currentEngine } from '../../../src/compile/index.js';
import type { Plan } from '../../../src/engine/plan.js';
import { createPlanOnlyEngine, type PlanOnlyEngine } from '../../../src/engine/plan-only/index.js';
import { LEVELS, type Level, levels } from './levels.js';

const shapeOf = (line: string): string =>
  line
    .trim()
    .replace(/\d+/g, '0')
    .replace(/\.[xyzw]/g, '.x');

/** Lines that repeat the one before but for numbers and components, counted. */
function folded(text: string): string {
  const out: string[] = [];
  let more = 0;
  const lines = text.trimEnd().split('\n');
  lines.forEach((line, i) => {
    const same = i > 0 && line.length > 12 && shapeOf(line) === shapeOf(lines[i - 1]!);
    if (same) more++;
    else if (more > 0) more = 0;
    if (same && more > 1) out[out.length - 1] = `${line.match(/^ */)![0]}// ${more} more`;
    else out.push(same ? `${line.match(/^ */)![0]}// 1 more` : line);
  });
  return out.join('\n');
}

/**
 * The WGSL of a computation's only kernel on the engine `plan-only` at each level, equal texts once: its directives, the adapter's own conversions, and from its entry
 * point on (the functions in between are those of kernels/numerics, which other tests hold).
 */
export async function codesByLevel(result: tl.Tensor, wanted: readonly Level[] = levels): Promise<string> {
  await tl.realize(result);
  const plan = (currentEngine() as PlanOnlyEngine).lastProgram!.plan as Plan;
  const texts = new Map<string, Level[]>();
  for (const level of wanted) {
    const engine = createPlanOnlyEngine({ capabilities: LEVELS[level] });
    const { kernels } = engine.describe(await engine.prepare(plan));
    expect(kernels).toHaveLength(1);
    const { code } = kernels[0]!;
    const kept = [...code.matchAll(/^(?:enable|fn tl_own_).*\n/gm)].join('') + code.slice(code.indexOf('@compute'));
    texts.set(kept, [...(texts.get(kept) ?? []), level]);
  }
  return [...texts].map(([text, names]) => `// at the level ${names.join(', ')}\n${folded(text)}`).join('\n\n');
}

/** Zeros on the engine. */
export const given = (shape: number[], dtype: tl.DType = 'f32'): tl.Tensor =>
  tl.tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0),
    { dtype, shape },
  );
