/** Plans with WGSL written by hand, so that the engine is tested without the scheduler and the renderers. */
import type { Kernel } from '../../kernels/ir.js';
import type { Plan, PlanBuffer, PlannedKernel, PlanOutput } from '../../src/engine/plan.js';
import type { RenderedKernel } from '../../src/engine/webgpu/index.js';
import type { WordDType } from '../../src/graph/index.js';

const sources = new WeakMap<Kernel, RenderedKernel>();

/** For the `render` option of the engine. */
export function renderHandmade(kernel: Kernel): RenderedKernel {
  const rendered = sources.get(kernel);
  if (!rendered) throw new Error(`${kernel.name} is not made by hand`);
  return rendered;
}

export interface HandmadeKernel {
  readonly name: string;
  /** Body of `main(@builtin(global_invocation_id) id: vec3u)`; `b0`, `b1`… are the buffers, `p` holds the params. */
  readonly body: string;
  readonly dtypes: readonly WordDType[];
  readonly params?: readonly WordDType[];
  /** Points along x. */
  readonly points: number;
}

const WGSL_TYPES: Record<WordDType, string> = { f32: 'f32', i32: 'i32', u32: 'u32', bool: 'u32' };
const WORKGROUP = 64;

export function handmadeKernel({ name, body, dtypes, params = [], points }: HandmadeKernel): Kernel {
  const storage = dtypes.map(
    (dtype, i) => `@group(0) @binding(${i}) var<storage, read_write> b${i}: array<${WGSL_TYPES[dtype]}>;`,
  );
  const uniform =
    params.length === 0
      ? []
      : [
          `struct Params { ${params.map((dtype, i) => `p${i}: ${WGSL_TYPES[dtype]}`).join(', ')} };`,
          `@group(0) @binding(${dtypes.length}) var<uniform> p: Params;`,
        ];
  const code = [
    ...storage,
    ...uniform,
    `@compute @workgroup_size(${WORKGROUP})`,
    `fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x >= ${points}u) { return; } ${body} }`,
  ].join('\n');
  const kernel: Kernel & { readonly wgsl: string } = {
    kind: 'loop',
    name,
    // Each body indexes its own way; the engine takes lengths from the plan.
    buffers: dtypes.map((dtype) => ({ dtype, length: Math.min(points, 1), access: 'readwrite' })),
    params,
    flops: points,
    segments: [],
    // Tells it from others: the engine renders equal kernels once.
    wgsl: code,
  };
  sources.set(kernel, { code, entryPoint: 'main', workgroups: [Math.ceil(points / WORKGROUP), 1, 1] });
  return kernel;
}

export interface PlanParts {
  readonly inputs?: readonly { readonly length: number; readonly dtype?: WordDType; readonly donated?: boolean }[];
  readonly buffers: readonly { readonly length: number; readonly place: PlanBuffer['place'] }[];
  readonly kernels: readonly PlannedKernel[];
  /** Indices of buffers. */
  readonly outputs: readonly number[];
  readonly scalars?: readonly WordDType[];
  readonly arenaBytes?: number;
}

export function plan({ inputs = [], buffers, kernels, outputs, scalars = [], arenaBytes = 0 }: PlanParts): Plan {
  return {
    kernels,
    buffers: buffers.map(({ length, place }) => ({ bytes: length * 4, place })),
    inputs: inputs.map(({ length, dtype = 'f32', donated = false }) => ({ shape: [length], dtype, donated })),
    scalars,
    outputs: outputs.map((buffer): PlanOutput => ({ shape: [buffers[buffer].length], dtype: 'f32', buffer })),
    arenaBytes,
  };
}

const input = (index: number) => ({ kind: 'input', index }) as const;
const output = (index: number) => ({ kind: 'output', index }) as const;
const arena = (offset: number) => ({ kind: 'arena', offset }) as const;

/** y = x * 2 + 1 over f32. */
export function doublePlusOne(length: number): Plan {
  const kernel = handmadeKernel({
    name: 'double_plus_one',
    body: 'b1[id.x] = b0[id.x] * 2.0 + 1.0;',
    dtypes: ['f32', 'f32'],
    points: length,
  });
  return plan({
    inputs: [{ length }],
    buffers: [
      { length, place: input(0) },
      { length, place: output(0) },
    ],
    kernels: [{ kernel, bindings: [0, 1], params: [] }],
    outputs: [1],
  });
}

/** w -= rate * g, in place; and the old sum of squares is not needed: one donated input that is the output. */
export function sgdUpdate(length: number): Plan {
  const kernel = handmadeKernel({
    name: 'sgd',
    body: 'b0[id.x] = b0[id.x] - p.p0 * b1[id.x];',
    dtypes: ['f32', 'f32'],
    params: ['f32'],
    points: length,
  });
  return plan({
    inputs: [{ length, donated: true }, { length }],
    buffers: [
      { length, place: input(0) },
      { length, place: input(1) },
    ],
    kernels: [{ kernel, bindings: [0, 1], params: [0] }],
    outputs: [0],
    scalars: ['f32'],
  });
}

/** y = ((x + 1) + 1) + … `steps` times, through two alternating ranges of the arena. */
export function increments(length: number, steps: number): Plan {
  const bytes = Math.ceil((length * 4) / 256) * 256;
  const buffers = [
    { length, place: input(0) },
    { length, place: arena(0) },
    { length, place: arena(bytes) },
    { length, place: output(0) },
  ];
  const kernels = Array.from({ length: steps }, (_, step): PlannedKernel => {
    const kernel = handmadeKernel({
      name: `increment${step}`,
      body: 'b1[id.x] = b0[id.x] + 1.0;',
      dtypes: ['f32', 'f32'],
      points: length,
    });
    const from = step === 0 ? 0 : 1 + ((step - 1) % 2);
    const to = step === steps - 1 ? 3 : 1 + (step % 2);
    return { kernel, bindings: [from, to], params: [] };
  });
  return plan({ inputs: [{ length }], buffers, kernels, outputs: [3], arenaBytes: 2 * bytes });
}
