import { expect } from 'vitest';
import { hostStorage, initEngine, readNode, realize } from '../../src/compile/index.js';
import { leaf, sizeOf } from '../../src/graph/index.js';
import { TOLERANCES } from '../oracle/tolerances.js';
import { webgpuAvailable } from '../setup/environment.js';
import { type Step, withGradients } from './graphs.js';
import { packedLeaves } from './packedSteps.js';

const SHAPES = [[3], [2, 3], [4, 1], [2, 3, 2], [1, 7], [65]];

/** Values with no pattern, distinct and away from zero: no ties, no signs that a rounding could change. */
function valuesOf(shape: readonly number[], seed: number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const v = Math.sin(12.9898 * (i + 1) + 78.233 * (seed + 1)) * 43758.5453;
    const unit = v - Math.floor(v);
    return (unit < 0.5 ? -1 : 1) * (0.1 + unit);
  });
}

/** The values of a graph and the gradients of its leaves, on the engine in use. */
async function run(list: readonly Step[]): Promise<Float32Array[]> {
  const leaves = SHAPES.map((shape, i) => leaf(hostStorage(valuesOf(shape, i), shape, 'f32'), true));
  const wanted = withGradients(leaves, list, packedLeaves());
  await realize(wanted);
  return Promise.all(wanted.map(async (n) => (await readNode(n)) as Float32Array));
}

/** The worst difference, in units of what the tolerance table allows for compositions, relative to each output's largest value. */
function worst(actual: readonly Float32Array[], expected: readonly Float32Array[]): { ratio: number; where: string } {
  const { ulp, absolute } = TOLERANCES.compositions.kernels;
  let found = { ratio: 0, where: '' };
  expected.forEach((want, o) => {
    const scale = want.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
    want.forEach((v, i) => {
      const got = actual[o]![i]!;
      const same = Object.is(got, v) || (Number.isNaN(got) && Number.isNaN(v));
      const ratio = same ? 0 : Math.abs(got - v) / (absolute * scale + ulp * 2 ** -23 * Math.abs(v));
      if (!(ratio <= found.ratio)) found = { ratio, where: `output ${o}, element ${i}: ${got} (expected ${v})` };
    });
  });
  return found;
}

export const engines = ['wasm', ...(webgpuAvailable ? (['webgpu'] as const) : [])] as const;

/** Checks that a graph has the same values and gradients on the reference engine and the others. */
export async function expectAgreement(list: readonly Step[]): Promise<void> {
  await initEngine({ engine: 'reference' });
  const expected = await run(list);
  for (const engine of engines) {
    await initEngine({ engine });
    const { ratio, where } = worst(await run(list), expected);
    expect(ratio, `${engine}: ${where}`).toBeLessThanOrEqual(1);
  }
}
