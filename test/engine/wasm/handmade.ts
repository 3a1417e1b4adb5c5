/** Kernels whose WebAssembly is written by hand, so that the engine is tested without the scheduler and the renderers. */
import type { Kernel } from '../../../kernels/ir.js';
import type { WasmFeatures, WasmKernel } from '../../../kernels/render/wasm/rendered.js';
import type { Plan, PlannedKernel } from '../../../src/engine/plan.js';
import type { WordDType } from '../../../src/graph/index.js';
import { plan } from '../handmadePlans.js';

type Code = readonly number[];

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return [...bytes, value];
}

function signed(value: number): number[] {
  for (const bytes: number[] = []; ; value >>= 7) {
    const low = value & 0x7f;
    if ((value >> 7 === 0 && low < 0x40) || (value >> 7 === -1 && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

const LOCALS = ['begin', 'end', 'table', 'scratch', 'i', 'stop', 'n'] as const;
type Local = (typeof LOCALS)[number];

export const get = (name: Local): Code => [0x20, LOCALS.indexOf(name)];
export const set = (name: Local): Code => [0x21, LOCALS.indexOf(name)];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const f32 = (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)];
export const i32Load = (offset = 0): Code => [0x28, 2, ...unsigned(offset)];
export const i32Store = (offset = 0): Code => [0x36, 2, ...unsigned(offset)];
export const f32Load = (offset = 0): Code => [0x2a, 2, ...unsigned(offset)];
export const f32Store: Code = [0x38, 2, 0];
export const i32Add: Code = [0x6a];
export const i32Mul: Code = [0x6c];
export const i32Equal: Code = [0x46];
export const f32Add: Code = [0x92];
export const f32Sub: Code = [0x93];
export const f32Mul: Code = [0x94];
export const atomicAdd: Code = [0xfe, 0x1e, 2, 0];
export const atomicLoad: Code = [0xfe, 0x10, 2, 0];
export const atomicStore: Code = [0xfe, 0x17, 2, 0];
export const unreachable: Code = [0x00];
export const ifThen = (...body: Code[]): Code => [0x04, 0x40, ...body.flat(), 0x0b];
export const ifElse = (then: Code[], otherwise: Code[]): Code => [
  ...[0x04, 0x40, ...then.flat()],
  ...[0x05, ...otherwise.flat(), 0x0b],
];
/** Repeats the body while the condition at its end holds. */
export const repeatWhile = (...body: Code[]): Code => [0x03, 0x40, ...body.flat(), 0x0d, 0x00, 0x0b];
/** Word `index` of the table. */
export const tableWord = (index: number): Code => [...get('table'), ...i32Load(index * 4)];
/** The address of element i of buffer number `buffer`. */
export const element = (buffer: number): Code => [
  ...[...tableWord(buffer), ...get('i')],
  ...[...i32(2), 0x74, ...i32Add],
];

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const listed = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const named = (name: string): Code => [...unsigned(name.length), ...new TextEncoder().encode(name)];

/** For i from begin * perTask to end * perTask, at most `points`: the body. */
function loop(body: Code, perTask: number, points: number): Code {
  const bound = (local: Local): Code => [...get(local), ...i32(perTask), ...i32Mul];
  return [
    ...[...bound('begin'), ...set('i'), ...bound('end'), ...set('stop')],
    // stop = min(stop, points)
    ...[...get('stop'), ...i32(points), ...get('stop'), ...i32(points), 0x49, 0x1b, ...set('stop')],
    ...[0x02, 0x40, 0x03, 0x40, ...get('i'), ...get('stop'), 0x4f, 0x0d, 0x01],
    ...body,
    ...[...get('i'), ...i32(1), ...i32Add, ...set('i'), 0x0c, 0x00, 0x0b, 0x0b],
  ];
}

function moduleOf(phases: readonly Code[], shared: boolean): Uint8Array<ArrayBuffer> {
  const bodies = phases.map((code) => {
    const body = [1, LOCALS.length - 4, 0x7f, ...code, 0x0b];
    return [...unsigned(body.length), ...body];
  });
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0]),
    ...section(2, [1, ...named('env'), ...named('memory'), 2, shared ? 3 : 1, 1, ...unsigned(65536)]),
    ...section(3, listed(phases.map(() => [0]))),
    ...section(7, listed(phases.map((_, i) => [...named(`phase${i}`), 0, i]))),
    ...section(10, listed(bodies)),
  ]);
}

export interface HandmadePhase {
  /** Instructions at each point `i`. */
  readonly body: readonly Code[];
  readonly points: number;
  readonly perTask?: number;
  readonly taskCost?: number;
}

export interface HandmadeKernel {
  readonly name: string;
  readonly phases: readonly HandmadePhase[];
  readonly dtypes: readonly WordDType[];
  readonly params?: readonly WordDType[];
  readonly sharedScratchBytes?: number;
  readonly threadScratchBytes?: number;
  /** Instead of what would be assembled. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

const made = new WeakMap<Kernel, HandmadeKernel>();
let count = 0;

/** For the `render` option of the engine. */
export function renderHandmade(kernel: Kernel, { sharedMemory }: WasmFeatures): WasmKernel {
  const handmade = made.get(kernel);
  if (!handmade) throw new Error(`${kernel.name} is not made by hand`);
  const { phases, bytes, sharedScratchBytes = 0, threadScratchBytes = 0 } = handmade;
  const bodies = phases.map(({ body, points, perTask = 1 }) => loop(body.flat(), perTask, points));
  return {
    bytes: bytes ?? moduleOf(bodies, sharedMemory),
    phases: phases.map(({ points, perTask = 1, taskCost = 1 }, i) => ({
      name: `phase${i}`,
      tasks: Math.ceil(points / perTask),
      taskCost,
    })),
    sharedScratchBytes,
    threadScratchBytes,
  };
}

export function handmadeKernel(handmade: HandmadeKernel): Kernel {
  const kernel: Kernel = {
    kind: 'loop',
    name: handmade.name,
    // Each body indexes its own way; the plan has the lengths.
    buffers: handmade.dtypes.map((dtype) => ({ dtype, length: 0, access: 'readwrite' })),
    params: handmade.params ?? [],
    flops: handmade.phases[0]?.points ?? 0,
    // No two are equal: engines compile equal kernels once.
    segments: [{ parallel: [{ name: 'handmade', extent: count++ }], body: [] }],
  };
  made.set(kernel, handmade);
  return kernel;
}

const input = (index: number) => ({ kind: 'input', index }) as const;
const output = (index: number) => ({ kind: 'output', index }) as const;
const arena = (offset: number) => ({ kind: 'arena', offset }) as const;

/** y = x * 2 + 1 over f32. */
export function doublePlusOne(length: number, phase: Partial<HandmadePhase> = {}): Plan {
  const kernel = handmadeKernel({
    name: 'double_plus_one',
    phases: [
      {
        body: [element(1), element(0), f32Load(), f32(2), f32Mul, f32(1), f32Add, f32Store],
        points: length,
        ...phase,
      },
    ],
    dtypes: ['f32', 'f32'],
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

/** w -= rate * g, in place. */
export function sgdUpdate(length: number): Plan {
  const rate = [...get('table'), ...f32Load(3 * 4)];
  const kernel = handmadeKernel({
    name: 'sgd',
    phases: [
      {
        body: [element(0), element(0), f32Load(), rate, element(1), f32Load(), f32Mul, f32Sub, f32Store],
        points: length,
      },
    ],
    dtypes: ['f32', 'f32'],
    params: ['f32'],
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
export function increments(length: number, steps: number, phase: Partial<HandmadePhase> = {}): Plan {
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
      phases: [{ body: [element(1), element(0), f32Load(), f32(1), f32Add, f32Store], points: length, ...phase }],
      dtypes: ['f32', 'f32'],
    });
    const from = step === 0 ? 0 : 1 + ((step - 1) % 2);
    const to = step === steps - 1 ? 3 : 1 + (step % 2);
    return { kernel, bindings: [from, to], params: [] };
  });
  return plan({ inputs: [{ length }], buffers, kernels, outputs: [3], arenaBytes: 2 * bytes });
}

/** One kernel without inputs whose output 0 has `length` elements. */
export function producing(handmade: HandmadeKernel, length: number): Plan {
  return plan({
    buffers: [{ length, place: output(0) }],
    kernels: [{ kernel: handmadeKernel(handmade), bindings: [0], params: [] }],
    outputs: [0],
  });
}
