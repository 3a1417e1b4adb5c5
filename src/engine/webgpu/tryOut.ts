import type { Check, Verdict } from '../../../kernels/checks/check.js';
import { checkHalves } from '../../../kernels/checks/halves.js';
import { checkMatrixUnits } from '../../../kernels/checks/matrixUnits.js';
import { checkSubgroups } from '../../../kernels/checks/subgroups.js';
import type { MatrixConfig, MatrixUnits } from '../../../kernels/families/matrixUnits.js';
import type { HalfWay, Halves } from '../../../kernels/render/wgsl-halves.js';
import type { Subgroups } from '../../../kernels/render/wgsl-subgroups.js';
import { EngineError } from '../../graph/index.js';
import type { Capabilities } from '../engine.js';
import { MATRIX_FEATURE, matrixConfigs } from './adapter.js';
import { BufferUsage, MAP_MODE_READ } from './constants.js';
import type { LiveDevice } from './device.js';

/** What an adapter turned out to do right. */
export interface Tried {
  readonly capabilities: Partial<Capabilities>;
  /** What was tried and how it went, in words. */
  readonly checks: readonly string[];
}

/** What may be tried out on a device. */
export interface ToTry {
  readonly device: LiveDevice;
  readonly adapter: Pick<GPUAdapter, 'info'>;
  /** Whether to try its matrix units. */
  readonly matrices: boolean;
}

/**
 * Tries out what WebGPU does not promise, or not exactly: what is wrong on this adapter, or does not compile, is left off. Rejects with
 * DeviceLostError if the device is lost on the way.
 */
export async function tryOut({ device, adapter: { info }, matrices }: ToTry): Promise<Tried> {
  const checks: string[] = [];
  const halves = await tryHalves(device, checks);
  const subgroups = await trySubgroups(device, info, checks);
  const matrixUnits = matrices ? await tryMatrices(device, info, { halves, subgroups }, checks) : null;
  const fixed = subgroups && { fixedSubgroups: subgroups };
  const capabilities = { halves, ...fixed, ...(matrixUnits && { matrixUnits }) };
  return { capabilities, checks };
}

/** Invocations of a workgroup that shares a row, at the least: larger subgroups would not be filled. */
const MOST_IN_A_SUBGROUP = 64;
/** The size to ask for where there are several: that of most GPUs, and AMD's faster one. */
const USUAL_SIZE = 32;

/** The only size of the adapter's subgroups, or one that it can be held to. */
function subgroupsOf({ features }: GPUDevice, info: GPUAdapterInfo): Subgroups | null {
  const { subgroupMinSize: least = 0, subgroupMaxSize: most = 0 } = info;
  if (!features.has('subgroups') || least < 2) return null;
  if (least === most) return least <= MOST_IN_A_SUBGROUP ? { size: least, pinned: false } : null;
  if (!features.has('subgroup-size-control')) return null;
  const size = Math.min(Math.max(USUAL_SIZE, least), most);
  return size <= MOST_IN_A_SUBGROUP ? { size, pinned: true } : null;
}

async function trySubgroups(device: LiveDevice, info: GPUAdapterInfo, checks: string[]): Promise<Subgroups | null> {
  const subgroups = subgroupsOf(device.gpu, info);
  if (subgroups === null) return null;
  const name = `subgroups of ${subgroups.size}`;
  const verdict = await verdictOf(device, checkSubgroups(subgroups), name, checks);
  return verdict?.fault === null ? subgroups : null;
}

/** The largest matrices of each type, of those that are right. */
export async function tryMatrices(
  device: LiveDevice,
  info: GPUAdapterInfo,
  { halves, subgroups }: { halves: Halves; subgroups: Subgroups | null },
  checks: string[],
): Promise<MatrixUnits | null> {
  const { features, limits } = device.gpu;
  const known = features.has(MATRIX_FEATURE) ? matrixConfigs(info, features.has('shader-f16')) : [];
  if (known.length === 0 || subgroups === null) {
    const lacks = known.length === 0 ? 'the adapter has none that fit' : 'there are no subgroups to count on';
    checks.push(`subgroup matrices: ${lacks}`);
    return null;
  }
  const { maxComputeInvocationsPerWorkgroup: maxInvocationsPerWorkgroup } = limits;
  const caps = { halves, maxInvocationsPerWorkgroup, maxWorkgroupMemoryBytes: limits.maxComputeWorkgroupStorageSize };
  const configs: MatrixConfig[] = [];
  for (const config of known) {
    const { component, m, n, k } = config;
    if (configs.some((chosen) => chosen.component === component)) continue;
    const check = checkMatrixUnits({ subgroups, configs: [config] }, caps);
    const name = `subgroup matrices ${component} ${m}x${n}x${k}`;
    const verdict = check && (await verdictOf(device, check, name, checks));
    if (verdict?.fault === null) configs.push(config);
  }
  return configs.length > 0 ? { subgroups, configs } : null;
}

/** By the type f16 where there is one, else by the builtins; each direction the first way that is right. */
async function tryHalves(device: LiveDevice, checks: string[]): Promise<Halves> {
  const ways: HalfWay[] = device.gpu.features.has('shader-f16') ? ['f16', 'builtins'] : ['builtins'];
  let found: Halves = { toF32: null, toF16: null };
  for (const way of ways) {
    if (found.toF32 && found.toF16) break;
    const name = `f16 conversions by ${way === 'f16' ? 'shader-f16' : 'pack2x16float and unpack2x16float'}`;
    const halves = (await verdictOf(device, checkHalves(way), name, checks))?.halves;
    if (halves === undefined) continue;
    found = { toF32: found.toF32 ?? halves.toF32, toF16: found.toF16 ?? halves.toF16 };
  }
  return found;
}

/** Runs a check and notes among `checks` how it went; null where it does not compile. */
async function verdictOf<V extends Verdict>(
  device: LiveDevice,
  check: Check<V>,
  name: string,
  checks: string[],
): Promise<V | null> {
  try {
    const verdict = check.verdict(await runCheck(device, check));
    checks.push(`${name}: ${verdict.fault ?? 'right'}`);
    return verdict;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    checks.push(`${name}: not used: ${error.message.split('\n')[0]}`);
    return null;
  }
}

async function runCheck(device: LiveDevice, { code, workgroups, buffers }: Check<Verdict>): Promise<Uint32Array> {
  const { gpu } = device;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code });
  const invalid = await device.wait('a check', () => gpu.popErrorScope());
  // Without its validation Dawn would crash on a pipeline of an invalid module.
  if (invalid) throw new EngineError(`[webgpu] a check does not compile: ${invalid.message.trim()}`);
  const pipeline = await device.wait('a check', () =>
    gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } }),
  );
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = BufferUsage;
  const storage = buffers.map((words) => {
    const buffer = gpu.createBuffer({ size: words.byteLength, usage: STORAGE | COPY_SRC | COPY_DST });
    gpu.queue.writeBuffer(buffer, 0, words);
    return buffer;
  });
  const last = storage.at(-1)!;
  const copy = gpu.createBuffer({ size: last.size, usage: COPY_DST | MAP_READ });
  try {
    const entries = storage.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
    encoder.copyBufferToBuffer(last, 0, copy, 0, last.size);
    gpu.queue.submit([encoder.finish()]);
    await device.wait('a check', () => copy.mapAsync(MAP_MODE_READ));
    return new Uint32Array(copy.getMappedRange().slice(0));
  } finally {
    for (const buffer of [...storage, copy]) buffer.destroy();
  }
}
