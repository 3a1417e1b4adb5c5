import { expect, it } from 'vitest';
import { deviceDescriptor, MATRIX_FEATURE, matrixConfigs } from '../../../src/engine/webgpu/adapter.js';
import { LiveDevice } from '../../../src/engine/webgpu/device.js';
import { FaultLog } from '../../../src/engine/webgpu/faults.js';
import { createWebGPUEngine } from '../../../src/engine/webgpu/index.js';
import { dawnFlags } from '../../../src/engine/webgpu/options.js';
import { tryMatrices, tryOut } from '../../../src/engine/webgpu/tryOut.js';
import { describeWebGPU } from '../../setup/environment.js';
import { nullAdapter } from './nullDevice.js';

/** What an adapter of NVIDIA's, Intel's or Apple's might list, and what kernels have no use for. */
const LISTED = [
  { componentType: 'f16', resultComponentType: 'f16', M: 16, N: 16, K: 16 },
  { componentType: 'f16', resultComponentType: 'f32', M: 8, N: 8, K: 8 },
  { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 },
  { componentType: 'f32', resultComponentType: 'f32', M: 8, N: 8, K: 8 },
  { componentType: 'u8', resultComponentType: 'u32', M: 8, N: 8, K: 32 },
];
const infoOf = (sizes: [number, number]) =>
  ({
    subgroupMinSize: sizes[0],
    subgroupMaxSize: sizes[1],
    subgroupMatrixConfigs: LISTED,
  }) as unknown as GPUAdapterInfo;

it('takes the configs with sums in f32, the largest first, f16 only where there is f16', () => {
  const [large, small] = [
    { component: 'f16', m: 16, n: 16, k: 16 },
    { component: 'f16', m: 8, n: 8, k: 8 },
  ];
  const single = { component: 'f32', m: 8, n: 8, k: 8 };
  expect(matrixConfigs(infoOf([32, 32]), true)).toEqual([large, small, single]);
  expect(matrixConfigs(infoOf([32, 32]), false)).toEqual([single]);
  expect(matrixConfigs({} as GPUAdapterInfo, true)).toEqual([]);
});

it('asks for matrix units only where a user does', async () => {
  expect(dawnFlags({}).join()).not.toContain('allow_unsafe_apis');
  expect(dawnFlags({ subgroupMatrix: true }).join()).toContain('allow_unsafe_apis,vulkan_enable_f16_on_nvidia');
  const adapter = await nullAdapter();
  expect([...deviceDescriptor(adapter, { matrices: false }).requiredFeatures!]).not.toContain(MATRIX_FEATURE);
  expect([...deviceDescriptor(adapter, { matrices: true }).requiredFeatures!]).toContain(MATRIX_FEATURE);
});

// The Null backend computes nothing, so every answer is wrong.
it.each([
  ['subgroups of one size', [64, 64]],
  ['subgroups of several', [4, 128]],
] as const)('leaves everything off on a device that fails all checks: %s', async (_, sizes) => {
  const adapter = await nullAdapter();
  const gpu = await adapter.requestDevice(deviceDescriptor(adapter, { matrices: true }));
  const device = new LiveDevice(gpu, new FaultLog(), true);
  const { capabilities, checks } = await tryOut({ device, adapter: { info: infoOf([...sizes]) }, matrices: true });
  expect(capabilities).toEqual({ halves: { toF32: null, toF16: null } });
  expect(checks).toEqual([
    'f16 conversions by shader-f16: only 0 halves were tried',
    'f16 conversions by pack2x16float and unpack2x16float: only 0 halves were tried',
    expect.stringMatching(/^subgroups of (64|32): only 0 invocations ran$/),
    'subgroup matrices: there are no subgroups to count on',
  ]);
  device.destroy();
});

it('tries each type of matrix until one is right', async () => {
  const adapter = await nullAdapter();
  const gpu = await adapter.requestDevice(deviceDescriptor(adapter, { matrices: true }));
  const device = new LiveDevice(gpu, new FaultLog(), true);
  const checks: string[] = [];
  const found = { halves: { toF32: null, toF16: null }, subgroups: { size: 32, pinned: true } };
  expect(await tryMatrices(device, infoOf([32, 32]), found, checks)).toBe(null);
  expect(checks).toEqual(
    ['f16 16x16x16', 'f16 8x8x8', 'f32 8x8x8'].map((name) =>
      // A sum may be 0.
      expect.stringMatching(new RegExp(`^subgroup matrices ${name}: 52\\d\\d of 5250 sums are wrong$`)),
    ),
  );
  device.destroy();
});

describeWebGPU('on an adapter without matrix units', () => {
  it('says that there are none, and computes without', async () => {
    const engine = await createWebGPUEngine({ subgroupMatrix: true });
    if (!engine.info().features.includes(MATRIX_FEATURE)) {
      expect(engine.info().checks).toContain('subgroup matrices: the adapter has none that fit');
      expect(engine.capabilities.matrixUnits).toBeUndefined();
    }
    engine.destroy();
  });
});
