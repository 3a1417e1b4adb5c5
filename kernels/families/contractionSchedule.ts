import type { ContractionKernel, Expr, IndexVar } from '../ir.js';
import { affineIn, Dependences, expressionsOf } from './affine.js';
import { readsOfTile } from './contractionTile.js';
import { costOf, splitByK } from './splitByK.js';

/** What a schedule needs to know about the adapter. */
export interface ContractionCaps {
  /** The adapter runs on the CPU. */
  readonly software: boolean;
  /** The device has the `subgroups` feature. */
  readonly subgroups: boolean;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupMemoryBytes: number;
}

/** How one operand is read: one element at a time, or four neighbours along its row variable (m or n) or along k as a vec4. */
export type LoadWidth = 'scalar' | 'row' | 'k';

/**
 * How a contraction runs. Every invocation computes `tm` x `tn` outputs.
 *
 * - `register`: no workgroup memory and no barrier. With `share`, the four invocations of a quad have equal rows of one operand:
 *   each reads the elements of another k and quadBroadcast hands them on (this needs the `subgroups` feature and quads of four
 *   consecutive invocations, so it is for software adapters, where it quarters the loads). With `splitK` 4 the invocations of a quad
 *   have equal outputs instead, each takes every fourth step of k, and their sums are added in order.
 * - `shared`: the workgroup stages tiles of both operands in workgroup memory, `ku` steps of k at a time. With `splitK` > 1 the
 *   workgroup has that many layers; each takes every splitK-th tile of k, and their sums are added in order.
 * - `unrolled`: all steps of k are written out, for few of them. Neighbouring outputs of a convolution read overlapping taps: once.
 */
export interface ContractionSchedule {
  readonly kind: 'register' | 'shared' | 'unrolled';
  readonly tm: number;
  readonly tn: number;
  /** Steps of k in one round of the loop. */
  readonly ku: number;
  /** Invocations along n and along m. */
  readonly wgX: number;
  readonly wgY: number;
  readonly share: 'none' | 'a' | 'b';
  readonly splitK: number;
  readonly loadA: LoadWidth;
  readonly loadB: LoadWidth;
}

/** Short and unique among the schedules of one kernel: for reports, and the key of tuning results. */
export function scheduleName(s: ContractionSchedule): string {
  const share = s.share === 'none' ? '' : ` share-${s.share}`;
  const split = s.splitK === 1 ? '' : ` split${s.splitK}`;
  return `${s.kind}${share} ${s.tm}x${s.tn} k${s.ku} wg${s.wgX}x${s.wgY}${split} ${s.loadA}/${s.loadB}`;
}

const [BATCH, ROW, K] = [0, 1, 2];

/** How wide an operand may be read: 'row' or 'k' where every access is one aligned vec4 along that variable, or does not depend on it. */
export function widestLoad(kernel: ContractionKernel, operand: 'a' | 'b'): LoadWidth {
  const row = operand === 'a' ? kernel.m : kernel.n;
  if (isVec4Along(kernel, kernel[operand], row, kernel.k)) return 'k';
  return isVec4Along(kernel, kernel[operand], row, row) ? 'row' : 'scalar';
}

function isVec4Along(kernel: ContractionKernel, root: Expr, row: IndexVar, along: IndexVar): boolean {
  if (along.extent === 0 || along.extent % 4 !== 0) return false;
  const vars = [kernel.batch, row, kernel.k];
  const axis = along === kernel.k ? K : ROW;
  const dependences = new Dependences();
  let wide = false;
  for (const expr of expressionsOf(root)) {
    if (expr.kind === 'load') {
      const affine = affineIn(expr.index, vars);
      if (affine === null) return false;
      const stride = affine.strides[axis]!;
      if (stride === 0) continue;
      const { length } = kernel.buffers[expr.buffer]!;
      const others = [BATCH, ROW, K].filter((v) => v !== axis).map((v) => affine.strides[v]!);
      if (stride !== 1 || [affine.c, length, ...others].some((x) => x % 4 !== 0)) return false;
      wide = true;
    } else if (expr.kind === 'guard' || expr.kind === 'choose') {
      if (expr.conds.some((c) => dependences.ofCond(c).has(along))) return false;
    } else if (expr.kind === 'index' && dependences.ofIndex(expr.index).has(along)) {
      return false;
    } else if (expr.kind === 'threefry' && dependences.ofIndex(expr.counter).has(along)) {
      return false;
    }
  }
  return wide;
}

/** Splits `extent` evenly into the fewest tiles of at most `most`; gives the tile size. */
function balanced(extent: number, most: number): number {
  const tiles = Math.ceil(Math.max(extent, 1) / most);
  return Math.ceil(Math.max(extent, 1) / tiles);
}

/** Every schedule worth trying for a kernel on an adapter; never empty. */
export function contractionSpace(kernel: ContractionKernel, caps: ContractionCaps): ContractionSchedule[] {
  const found = new Map<string, ContractionSchedule>();
  const add = (s: ContractionSchedule): void => {
    if (s.wgX * s.wgY * s.splitK <= caps.maxInvocationsPerWorkgroup) found.set(scheduleName(s), s);
  };
  if (caps.software && caps.subgroups) sharedLoadSchedules(kernel).forEach(add);
  registerSchedules(kernel).forEach(add);
  unrolledSchedules(kernel).forEach(add);
  if (!caps.software) {
    for (const s of workgroupMemorySchedules(kernel)) if (workgroupBytes(s) <= caps.maxWorkgroupMemoryBytes) add(s);
  }
  return [...found.values()];
}

/** Tiles with loads shared across quads: outputs along the shared operand's rows, along the other's, quads in a workgroup. */
const SHARED_LOAD_TILES = [
  [4, 1, 8],
  [4, 4, 8],
  [8, 2, 8],
  [8, 4, 2],
  [8, 4, 8],
  [12, 3, 8],
] as const;

function sharedLoadSchedules(kernel: ContractionKernel): ContractionSchedule[] {
  const [m, n] = [kernel.m.extent, kernel.n.extent];
  const common = { kind: 'register', ku: 4, splitK: 1, loadA: 'scalar', loadB: 'scalar' } as const;
  const tiles = SHARED_LOAD_TILES.flatMap(([ts, td, quads]) => [
    { ...common, share: 'a' as const, tm: balanced(m, ts), tn: balanced(Math.ceil(n / 4), td), wgX: 4, wgY: quads },
    { ...common, share: 'b' as const, tm: balanced(Math.ceil(m / 4), td), tn: balanced(n, ts), wgX: quads, wgY: 4 },
  ]);
  // Few rows or columns: all quads lie along the other side.
  const thin = [1, 2, 4, 8].flatMap((td) => [
    ...(m <= FEW
      ? [{ ...common, share: 'a' as const, tm: Math.max(m, 1), tn: balanced(Math.ceil(n / 4), td), wgX: 32, wgY: 1 }]
      : []),
    ...(n <= FEW
      ? [{ ...common, share: 'b' as const, tm: balanced(Math.ceil(m / 4), td), tn: Math.max(n, 1), wgX: 1, wgY: 32 }]
      : []),
  ]);
  // Where rows lie along k in memory, the invocations of a quad take every fourth step of k.
  const deep = [1, 2, 4, 8].flatMap((rows) => [
    ...(m <= FEW
      ? [{ ...common, share: 'none' as const, splitK: 4, tm: Math.max(m, 1), tn: balanced(n, rows), wgX: 8, wgY: 1 }]
      : []),
    ...(n <= FEW
      ? [{ ...common, share: 'none' as const, splitK: 4, tm: balanced(m, rows), tn: Math.max(n, 1), wgX: 1, wgY: 8 }]
      : []),
  ]);
  return [...tiles, ...thin, ...deep];
}

/** Plain register tiles: tm, tn, steps of k in a round. */
const REGISTER_TILES = [
  [1, 4, 8],
  [4, 4, 4],
  [4, 4, 8],
  [8, 4, 4],
  [8, 8, 4],
] as const;

function registerSchedules(kernel: ContractionKernel): ContractionSchedule[] {
  const [wideA, wideB] = [widestLoad(kernel, 'a'), widestLoad(kernel, 'b')];
  return REGISTER_TILES.map(([tm, tn, ku]) => ({
    kind: 'register',
    ...tileOf(kernel, tm, tn, wideA, wideB),
    ku,
    wgX: 8,
    wgY: 8,
    share: 'none',
    splitK: 1,
  }));
}

const MAX_UNROLLED_STEPS = 25;
/** Expressions of all that is written out. */
const MAX_UNROLLED = 4000;

function unrolledSchedules(kernel: ContractionKernel): ContractionSchedule[] {
  const [m, n, k] = [kernel.m.extent, kernel.n.extent, kernel.k.extent];
  if (m === 0 || m > FEW || k === 0 || k > MAX_UNROLLED_STEPS) return [];
  const size = expressionsOf(kernel.a).length + expressionsOf(kernel.b).length;
  return [1, 2, 3, 4, 5, 6, 7, 8]
    .filter((tn) => n % tn === 0 && (m + tn) * k * size <= MAX_UNROLLED)
    .map((tn) => ({
      ...{ kind: 'unrolled', tm: m, tn, ku: k, wgX: 64, wgY: 1, share: 'none', splitK: 1 },
      ...{ loadA: 'scalar', loadB: 'scalar' },
    }));
}

/** A tile fitted to the extents; an operand that is read four rows at a time needs a multiple of four of them. */
function tileOf(kernel: ContractionKernel, tm: number, tn: number, loadA: LoadWidth, loadB: LoadWidth) {
  const cut = (extent: number, most: number, load: LoadWidth): [number, LoadWidth] => {
    if (load !== 'row') return [balanced(extent, most), load];
    return most % 4 === 0 ? [most, load] : [balanced(extent, most), 'scalar'];
  };
  const [fitM, a] = cut(kernel.m.extent, tm, loadA);
  const [fitN, b] = cut(kernel.n.extent, tn, loadB);
  return { tm: fitM, tn: fitN, loadA: a, loadB: b };
}

/** Tiles staged in workgroup memory: tm, tn, wgX, wgY, steps of k, splitK. */
const WORKGROUP_TILES = [
  [4, 4, 8, 8, 8, 1],
  [4, 4, 8, 8, 16, 1],
  [4, 4, 8, 8, 32, 1],
  [4, 4, 8, 4, 32, 1],
  [4, 4, 16, 16, 16, 1],
  [8, 8, 8, 8, 16, 1],
  [4, 4, 8, 8, 8, 4],
  [4, 4, 4, 4, 16, 8],
] as const;

/** Rows or columns of a product that is thin. */
const FEW = 4;

/** Few rows or columns: a workgroup's layers share the depth of a few dot products, and read neighbouring steps of k. */
function thinTiles({ m, n }: ContractionKernel): (readonly [number, number, number, number, number, number])[] {
  return [
    ...(m.extent <= FEW ? [[Math.max(m.extent, 1), 4, 8, 1, 16, 8] as const] : []),
    ...(n.extent <= FEW ? [[4, Math.max(n.extent, 1), 1, 8, 16, 8] as const] : []),
  ];
}

function workgroupMemorySchedules(kernel: ContractionKernel): ContractionSchedule[] {
  const [wideA, wideB] = [widestLoad(kernel, 'a'), widestLoad(kernel, 'b')];
  // Four rows at a time only where a tile has whole fours of them.
  const load = (wide: LoadWidth, rows: number): LoadWidth => (wide === 'row' && rows % 4 !== 0 ? 'scalar' : wide);
  return [...WORKGROUP_TILES, ...thinTiles(kernel)].map(([tm, tn, wgX, wgY, ku, splitK]) => ({
    kind: 'shared',
    tm,
    tn,
    ku,
    wgX,
    wgY,
    share: 'none',
    splitK,
    loadA: load(wideA, tm * wgY),
    loadB: load(wideB, tn * wgX),
  }));
}

/** Most workgroup memory that a schedule takes: tiles may have one cell of padding a row. */
export function workgroupBytes(s: ContractionSchedule): number {
  if (s.kind !== 'shared') return 0;
  const tiles = (s.tm * s.wgY + s.tn * s.wgX) * (4 * s.ku + 16) * s.splitK;
  const sums = 4 * s.tm * s.tn * s.wgX * s.wgY * (s.splitK - 1);
  return tiles + sums;
}

/** The space, the most promising schedule first: the one that `chooseContractionSchedule` picks. */
export function rankedContractionSpace(kernel: ContractionKernel, caps: ContractionCaps): ContractionSchedule[] {
  const estimate = caps.software ? softwareEstimate(kernel, caps) : gpuEstimate(kernel);
  const first = chooseContractionSchedule(kernel, caps);
  const ranked = contractionSpace(kernel, caps).map((schedule) => ({ schedule, cost: estimate(schedule) }));
  // Of two that cannot be told apart (both may be Infinity) the earlier one stays in front.
  ranked.sort((a, b) => (a.cost === b.cost ? 0 : a.cost - b.cost));
  const name = scheduleName(first);
  return [first, ...ranked.map(({ schedule }) => schedule).filter((schedule) => scheduleName(schedule) !== name)];
}

/** Picks a schedule by shape and adapter, without measuring. */
export function chooseContractionSchedule(kernel: ContractionKernel, caps: ContractionCaps): ContractionSchedule {
  const space = contractionSpace(kernel, caps);
  const estimate = caps.software ? softwareEstimate(kernel, caps) : gpuEstimate(kernel);
  let best = space[0]!;
  let bestCost = Infinity;
  for (const s of space) {
    const cost = estimate(s);
    if (cost < bestCost) [best, bestCost] = [s, cost];
  }
  return best;
}

type Estimate = (s: ContractionSchedule) => number;

/** Cycles of one four-lane operation on SwiftShader, measured: a load gathers lane by lane, arithmetic is a SIMD instruction. */
const GATHER = 27;
const MULTIPLY_ADD = 2;
const BROADCAST = 4;
const OPERATION = 2;
const ROUND = 10;
/** Beyond this many accumulators speed becomes erratic. */
const STEADY_ACCUMULATORS = 36;
/** Workgroups that keep a few cores evenly busy. */
const BUSY_WORKGROUPS = 16;

/** A load of lanes that do not lie side by side in memory, of data that is read once. */
const STRIDED = 1.6;

function softwareEstimate(kernel: ContractionKernel, caps: ContractionCaps): Estimate {
  const { batch, m, n, k } = kernel;
  const isThin = m.extent <= FEW || n.extent <= FEW;
  const vars = [batch, m, n, k];
  /** Cost of an operand's element where the lanes stand along `lanes`. */
  const loadCost = (operand: Expr, row: IndexVar, lanes: IndexVar): number => {
    const loads = expressionsOf(operand).filter((e) => e.kind === 'load');
    const work = (costOf(splitByK(operand, row, k).expr) - 8 * loads.length) * OPERATION;
    const strided =
      isThin && loads.some(({ index }) => Math.abs(affineIn(index, vars)?.strides[vars.indexOf(lanes)] ?? 1) > 1);
    return loads.length * GATHER * (strided ? STRIDED : 1) + work;
  };
  const alongRows = { a: loadCost(kernel.a, m, m), b: loadCost(kernel.b, n, n) };
  /** Of one step of an unrolled tile. */
  const unrolledStep = (s: ContractionSchedule): number => {
    const reads = readsOfTile(kernel, s.tm, s.tn) / k.extent;
    const loads = expressionsOf(kernel.b).filter((e) => e.kind === 'load').length;
    return (reads * alongRows.b) / Math.max(loads, 1) + MULTIPLY_ADD * s.tm * s.tn;
  };
  const alongK = { a: loadCost(kernel.a, m, k), b: loadCost(kernel.b, n, k) };
  return (s) => {
    if (s.kind === 'shared') return Infinity;
    // The plain register tile is the fallback where quads are not available.
    if (caps.subgroups && s.kind === 'register' && s.share === 'none' && s.splitK === 1) return Infinity;
    const [rowsM, rowsN] = [s.tm * s.wgY, s.tn * s.wgX];
    const workgroups = batch.extent * Math.ceil(m.extent / rowsM) * Math.ceil(n.extent / rowsN);
    const invocations = workgroups * s.wgX * s.wgY;
    const loads =
      s.splitK > 1
        ? alongK.a * s.tm + alongK.b * s.tn
        : s.share === 'none'
          ? alongRows.a * s.tm + alongRows.b * s.tn
          : s.share === 'a'
            ? (alongK.a * s.tm) / 4 + alongRows.b * s.tn
            : alongRows.a * s.tm + (alongK.b * s.tn) / 4;
    const broadcasts = s.share === 'none' ? 0 : BROADCAST * (s.share === 'a' ? s.tm : s.tn);
    const step =
      s.kind === 'unrolled' ? unrolledStep(s) : loads + broadcasts + MULTIPLY_ADD * s.tm * s.tn + ROUND / s.ku;
    const erratic = s.tm * s.tn > STEADY_ACCUMULATORS ? 1.3 : 1;
    const uneven = Math.max(1, BUSY_WORKGROUPS / Math.max(workgroups, 1)) ** 0.25;
    // Layers of a quad split whole rounds; what is left over is done one step at a time, with idle lanes.
    const depth = s.splitK > 1 && k.extent < 4 * s.splitK * s.ku ? 4 : 1;
    return invocations * step * erratic * uneven * depth;
  };
}

/** Workgroups that fill a mid-sized GPU. */
const FULL_WORKGROUPS = 128;

function gpuEstimate(kernel: ContractionKernel): Estimate {
  const { batch, m, n, k } = kernel;
  return (s) => {
    const [rowsM, rowsN] = [s.tm * s.wgY, s.tn * s.wgX];
    const workgroups = batch.extent * Math.ceil(m.extent / rowsM) * Math.ceil(n.extent / rowsN);
    const padded = workgroups * rowsM * rowsN;
    // Loads for each multiply-add, as time: from storage once a tile, from workgroup memory once an invocation.
    const traffic =
      s.kind === 'shared'
        ? 1 + 12 * (1 / rowsM + 1 / rowsN) + 4 * (1 / s.tm + 1 / s.tn)
        : s.kind === 'unrolled'
          ? 1 + (16 * readsOfTile(kernel, s.tm, s.tn)) / (s.tm * s.tn * k.extent)
          : 1 + 16 * (1 / s.tm + 1 / s.tn);
    const layers = Math.min(s.splitK, Math.max(1, Math.floor(k.extent / 256)));
    const idle = Math.max(1, FULL_WORKGROUPS / Math.max(workgroups * layers, 1));
    // Splitting k where there is work enough already only costs barriers and workgroup memory.
    const split = 1 + 0.02 * (s.splitK - 1) + (layers < s.splitK ? 1 : 0);
    return padded * traffic * idle * split * (s.kind !== 'unrolled' && s.ku < 16 ? 1.05 : 1);
  };
}
