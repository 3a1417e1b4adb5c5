import type { Check, Verdict } from '../../../kernels/checks/check.js';
import { checkHalves } from '../../../kernels/checks/halves.js';
import { checkSubgroups } from '../../../kernels/checks/subgroups.js';
import type { HalfWay, Halves } from '../../../kernels/render/wgsl-halves.js';
import type { Subgroups } from '../../../kernels/render/wgsl-subgroups.js';
import { EngineError } from '../../graph/index.js';
import type { Capabilities } from '../engine.js';
import { BufferUsage, MAP_MODE_READ } from './constants.js';
import type { LiveDevice } from './device.js';

/** What an adapter turned out to do right. */
export interface Tried {
  readonly capabilities: Partial<Capabilities>;
  /** What was tried and how it went, in words. */
  readonly checks: readonly string[];
}

/**
 * Tries out what WebGPU does not promise, or not exactly: what is wrong on this adapter, or does not compile, is left off. Rejects with
 * DeviceLostError if the device is lost on the way.
 */
export async function tryOut(device: LiveDevice, { info }: Pick<GPUAdapter, 'info'>): Promise<Tried> {
  const checks: string[] = [];
  const halves = await tryHalves(device, checks);
  const fixedSubgroups = await trySubgroups(device, info, checks);
  return { capabilities: { halves, ...(fixedSubgroups ? { fixedSubgroups } : {}) }, checks };
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

async function runCheck(device: LiveDevice, { code, workgroups, words }: Check<Verdict>): Promise<Uint32Array> {
  const { gpu } = device;
  gpu.pushErrorScope('validation');
  const module = gpu.createShaderModule({ code });
  const invalid = await device.wait('a check', () => gpu.popErrorScope());
  // Without its validation Dawn would crash on a pipeline of an invalid module.
  if (invalid) throw new EngineError(`[webgpu] a check does not compile: ${invalid.message.trim()}`);
  const pipeline = await device.wait('a check', () =>
    gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } }),
  );
  const size = words.byteLength;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = BufferUsage;
  const storage = gpu.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
  const copy = gpu.createBuffer({ size, usage: COPY_DST | MAP_READ });
  try {
    gpu.queue.writeBuffer(storage, 0, words);
    const layout = pipeline.getBindGroupLayout(0);
    const group = gpu.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: storage } }] });
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
    encoder.copyBufferToBuffer(storage, 0, copy, 0, size);
    gpu.queue.submit([encoder.finish()]);
    await device.wait('a check', () => copy.mapAsync(MAP_MODE_READ));
    return new Uint32Array(copy.getMappedRange().slice(0));
  } finally {
    storage.destroy();
    copy.destroy();
  }
}
