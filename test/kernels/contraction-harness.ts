/** Runs contraction kernels on Dawn under many schedules, and builds them from plain descriptions. */

import {
  type ContractionCaps,
  type ContractionSchedule,
  renderContraction,
  scheduleName,
} from '../../kernels/families/contraction.js';
import type { BufferSpec, ContractionKernel, Expr, Index, IndexVar, Result, StoreStmt } from '../../kernels/ir.js';
import { loadVulkan } from '../../scripts/machine.mjs';
import type { WordDType } from '../../src/graph/index.js';

export const SOFTWARE: ContractionCaps = {
  software: true,
  subgroups: true,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupMemoryBytes: 16384,
};
export const SOFTWARE_WITHOUT_SUBGROUPS: ContractionCaps = { ...SOFTWARE, subgroups: false };
export const GPU: ContractionCaps = { ...SOFTWARE, software: false };

/** Dawn works only while its entry object is alive. */
const instances: GPU[] = [];

export async function openDevice(flags: string[] = []): Promise<GPUDevice> {
  loadVulkan();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create(flags);
  instances.push(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('Dawn found no adapter');
  if (!adapter.features.has('subgroups')) throw new Error('the adapter has no subgroups');
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: ['subgroups'],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  device.addEventListener('uncapturederror', (event) => {
    throw new Error((event as GPUUncapturedErrorEvent).error.message);
  });
  return device;
}

export interface Prepared {
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: readonly [number, number, number];
  readonly layout: GPUBindGroupLayout;
}

export async function prepare(
  device: GPUDevice,
  kernel: ContractionKernel,
  schedule: ContractionSchedule,
): Promise<Prepared> {
  const { code, entryPoint, workgroups } = renderContraction(kernel, schedule);
  const module = device.createShaderModule({ code });
  const layout = device.createBindGroupLayout({
    entries: [
      ...kernel.buffers.map((_, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: 'storage' as const },
      })),
      ...(kernel.params.length > 0
        ? [{ binding: kernel.buffers.length, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform' as const } }]
        : []),
    ],
  });
  try {
    const pipeline = await device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint },
    });
    return { pipeline, workgroups, layout };
  } catch (error) {
    throw new Error(
      `${scheduleName(schedule)}: ${(error as Error).message}${process.env.TILLER_DEBUG ? `\n${code}` : ''}`,
    );
  }
}

/** Runs once on copies of the inputs (words of every buffer, and of the params); gives the words of every buffer. */
export async function run(
  device: GPUDevice,
  { pipeline, workgroups, layout }: Prepared,
  buffers: readonly Uint32Array[],
  params: Uint32Array,
): Promise<Uint32Array[]> {
  const upload = (words: Uint32Array, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({
      size: Math.max(16, words.byteLength),
      usage: usage | GPUBufferUsage.COPY_DST,
    });
    if (words.length > 0) device.queue.writeBuffer(buffer, 0, words as Uint32Array<ArrayBuffer>);
    return buffer;
  };
  const storage = buffers.map((words) => upload(words, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC));
  const uniform = params.length > 0 ? [upload(params, GPUBufferUsage.UNIFORM)] : [];
  const bindGroup = device.createBindGroup({
    layout,
    entries: [...storage, ...uniform].map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  // Dawn warns about launches of nothing.
  if (!workgroups.includes(0)) pass.dispatchWorkgroups(...workgroups);
  pass.end();
  const copies = storage.map((buffer) => {
    const copy = device.createBuffer({ size: buffer.size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    return copy;
  });
  device.queue.submit([encoder.finish()]);
  const out: Uint32Array[] = [];
  for (const [i, copy] of copies.entries()) {
    await copy.mapAsync(GPUMapMode.READ);
    out.push(new Uint32Array(copy.getMappedRange().slice(0, buffers[i]!.byteLength)));
  }
  for (const buffer of [...storage, ...uniform, ...copies]) buffer.destroy();
  return out;
}

export const variable = (v: IndexVar): Index => ({ kind: 'var', v });
export const constant = (value: number): Index => ({ kind: 'const', value });
export const plus = (...parts: Index[]): Index => parts.reduce((a, b) => ({ kind: 'add', a, b }));
export const times = (a: Index, b: number): Index => ({ kind: 'mul', a, b });
export const over = (a: Index, b: number): Index => ({ kind: 'div', a, b });
export const modulo = (a: Index, b: number): Index => ({ kind: 'mod', a, b });
export const minus = (a: Index, b: Index): Index => ({ kind: 'sub', a, b });
export const load = (buffer: number, index: Index, dtype: WordDType = 'f32', clamp = false): Expr => ({
  kind: 'load',
  dtype,
  buffer,
  index,
  clamp,
});

export interface Product {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly dtype?: WordDType;
}

/** The variables of a product, and where its elements lie: a is buffer 0, b is buffer 1, the output goes to the last buffer. */
export function layoutOf({ batch, m, n, k, transA, transB }: Product) {
  const vars = {
    batch: { name: 'batch', extent: batch },
    m: { name: 'm', extent: m },
    n: { name: 'n', extent: n },
    k: { name: 'k', extent: k },
  };
  const at = (b: Index, rows: number, columns: number, row: Index, column: Index, transposed?: boolean): Index =>
    plus(times(b, rows * columns), transposed ? plus(times(column, rows), row) : plus(times(row, columns), column));
  return {
    ...vars,
    aIndex: at(variable(vars.batch), m, k, variable(vars.m), variable(vars.k), transA),
    bIndex: at(variable(vars.batch), k, n, variable(vars.k), variable(vars.n), transB),
    outIndex: at(variable(vars.batch), m, n, variable(vars.m), variable(vars.n)),
  };
}

export interface KernelParts {
  readonly a?: (load: Expr) => Expr;
  readonly b?: (load: Expr) => Expr;
  /** Buffers between b and the outputs, the outputs, and what is stored; by default the sums. */
  readonly extra?: readonly BufferSpec[];
  readonly outputs?: number;
  readonly epilogue?: (acc: Expr, outIndex: Index, vars: ReturnType<typeof layoutOf>) => StoreStmt[];
  readonly params?: readonly WordDType[];
}

export function productKernel(product: Product, parts: KernelParts = {}): ContractionKernel {
  const { batch, m, n, k, dtype = 'f32' } = product;
  const vars = layoutOf(product);
  const result: Result = { name: 'acc', dtype };
  const acc: Expr = { kind: 'result', dtype, of: result };
  const [a, b] = [load(0, vars.aIndex, dtype), load(1, vars.bIndex, dtype)];
  const extra = parts.extra ?? [];
  const outputs = Array.from({ length: parts.outputs ?? 1 }, () => ({
    dtype,
    length: batch * m * n,
    access: 'write' as const,
  }));
  const epilogue = parts.epilogue?.(acc, vars.outIndex, vars) ?? [
    { kind: 'store', buffer: 2 + extra.length, index: vars.outIndex, value: acc },
  ];
  return {
    kind: 'contraction',
    name: 'product',
    buffers: [
      { dtype, length: batch * m * k, access: 'read' },
      { dtype, length: batch * k * n, access: 'read' },
      ...extra,
      ...outputs,
    ],
    params: parts.params ?? [],
    flops: 2 * batch * m * n * k,
    batch: vars.batch,
    m: vars.m,
    n: vars.n,
    k: vars.k,
    dtype,
    a: parts.a?.(a) ?? a,
    b: parts.b?.(b) ?? b,
    acc: result,
    epilogue,
  };
}

/** Repeatable numbers around zero. */
export function numbers(length: number, seed: number): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 32;
  });
}

export const wordsOf = (values: Float32Array | Int32Array | Uint32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);
export const floatsOf = (words: Uint32Array): Float32Array =>
  new Float32Array(words.buffer, words.byteOffset, words.length);
