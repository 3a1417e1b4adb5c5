import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractionSpace, renderContraction, scheduleName } from '../../../kernels/families/contraction.js';
import type { Plan } from '../../../src/engine/plan.js';
import { createPlanOnlyEngine } from '../../../src/engine/plan-only/index.js';
import { LEVELS, levels } from './levels.js';
import { type NullDevice, openNullDevice } from './nullDevice.js';
import { allPlans, COMPUTATIONS } from './plans.js';

let device: NullDevice;
let plans: Map<string, Plan[]>;

beforeAll(async () => {
  device = await openNullDevice();
  plans = await allPlans();
});
afterAll(() => device.destroy());

describe('the Null backend', () => {
  const compile = (code: string) => device.compile({ code, entryPoint: 'main' });
  const features = ['subgroups', 'shader-f16', 'chromium-experimental-subgroup-matrix'];

  it('has the features of the GPUs that no test machine has', () => {
    expect(features.filter((name) => !device.features.has(name))).toEqual([]);
  });

  it('complains of what is wrong in a shader, in a pipeline, and of what is not enabled', async () => {
    const main = '@compute @workgroup_size(64) fn main';
    expect(await compile(`${main}() {}`)).toBe('');
    expect(await compile(`${main}() { let x = 1u + 2f; }`)).toContain('error in line 1');
    expect(await compile('@compute @workgroup_size(512) fn main() {}')).toContain('exceeds the maximum allowed');
    expect(await compile(`${main}() { let x = 1h; }`)).toContain("without 'f16' extension enabled");
    expect(await compile(`${main}(@builtin(subgroup_size) size: u32) {}`)).toContain("'subgroups'");
    // A barrier that only some invocations reach.
    const some = '(@builtin(local_invocation_index) i: u32) { if (i > 3u) { workgroupBarrier(); } }';
    expect(await compile(main + some)).toContain('uniform control flow');
  });

  it('gives a device nothing that it did not ask for', async () => {
    const plain = await openNullDevice([]);
    expect(
      await plain.compile({ code: 'enable f16;\n@compute @workgroup_size(1) fn main() {}', entryPoint: 'main' }),
    ).toMatch(/extension 'f16' is not allowed/);
    plain.destroy();
  });
});

describe.each(levels)('at the level %s', (level) => {
  it.each(Object.keys(COMPUTATIONS))('a GPU would compile: %s', async (name) => {
    const engine = createPlanOnlyEngine({ capabilities: LEVELS[level] });
    for (const plan of plans.get(name)!) {
      const { kernels } = engine.describe(await engine.prepare(plan));
      expect(kernels.length).toBeGreaterThan(0);
      for (const { code } of kernels) expect(`${await device.compile({ code, entryPoint: 'main' })}`, code).toBe('');
    }
  });
});

it('a GPU would compile every schedule of a contraction, not only those that are chosen', async () => {
  const caps = {
    software: false,
    subgroups: true,
    maxInvocationsPerWorkgroup: 256,
    maxWorkgroupMemoryBytes: 16384,
  };
  for (const name of ['odd product', 'product of f16', 'deep product']) {
    const kernel = plans.get(name)![0]!.kernels[0]!.kernel;
    if (kernel.kind !== 'contraction') throw new Error(`${name} is a ${kernel.kind}`);
    for (const schedule of contractionSpace(kernel, caps)) {
      expect(await device.compile(renderContraction(kernel, schedule)), scheduleName(schedule)).toBe('');
    }
  }
});
