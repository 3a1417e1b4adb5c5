import source from '../../shaders/contractionMatrix.wgsl';
import type { ContractionKernel, Expr, Index, IndexVar } from '../ir.js';
import { type RenderedKernel, signatureOf } from '../render/rendered.js';
import type { Halves } from '../render/wgsl-halves.js';
import { type Subgroups, subgroupAttribute, subgroupDirectives } from '../render/wgsl-subgroups.js';
import { WgslModule, type WgslScope } from '../render/wgsl-writer.js';
import { expressionsOf } from './affine.js';
import { gridOf } from './contractionGrid.js';
import { Operand } from './contractionOperand.js';
import { declarationsOf } from './declarations.js';
import type { MatrixConfig, MatrixUnits } from './matrixUnits.js';
import { fillTemplate } from './template.js';

/** How a contraction runs on matrix units. */
export interface MatrixSchedule {
  readonly config: MatrixConfig;
  readonly subgroups: Subgroups;
  /** Subgroups of a workgroup along m and along n. */
  readonly down: number;
  readonly across: number;
  /** Matrices of results of a subgroup along m and along n. */
  readonly tall: number;
  readonly wide: number;
  /** Steps of k that are staged at once: a multiple of the config's. */
  readonly depth: number;
}

export interface MatrixCaps {
  readonly matrixUnits?: MatrixUnits;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupMemoryBytes: number;
}

/** Products that are smaller than this along m or n, or than half of it along k, are not worth the staging. */
const LEAST = 32;
/** Steps of k that are staged at once, as far as memory allows. */
const DEPTH = 32;

/**
 * The schedules on the adapter's matrix units, those with the largest tiles first; none where it has no units that compute a contraction as
 * exactly as any other schedule does: in f32, or in f16 where both operands are f16 numbers already. Sums are f32 in any case.
 */
export function matrixSpace(kernel: ContractionKernel, caps: MatrixCaps): MatrixSchedule[] {
  const { matrixUnits, maxInvocationsPerWorkgroup, maxWorkgroupMemoryBytes } = caps;
  const { batch, m, n, k } = kernel;
  if (!matrixUnits || kernel.dtype !== 'f32' || batch.extent === 0) return [];
  if (m.extent < LEAST || n.extent < LEAST || k.extent < LEAST / 2) return [];
  const { configs, subgroups } = matrixUnits;
  const halves = isHalf(kernel.a) && isHalf(kernel.b);
  const config =
    (halves && configs.find(({ component }) => component === 'f16')) ||
    configs.find(({ component }) => component === 'f32');
  if (!config) return [];
  const depth = Math.max(DEPTH - (DEPTH % config.k), config.k);
  return SHAPES.flatMap(([down, across]) => SHAPES.map(([tall, wide]) => ({ down, across, tall, wide })))
    .map((shape): MatrixSchedule => ({ config, subgroups, ...shape, depth }))
    .filter((schedule) => memoryOf(schedule) <= maxWorkgroupMemoryBytes)
    .filter(({ down, across }) => down * across * subgroups.size <= maxInvocationsPerWorkgroup);
}

/** The schedule of the space that should be fastest, without measuring; null where the space is empty. */
export function matrixSchedule(kernel: ContractionKernel, caps: MatrixCaps): MatrixSchedule | null {
  const space = matrixSpace(kernel, caps);
  const costs = space.map((schedule) => costOf(kernel, schedule));
  return space[costs.indexOf(Math.min(...costs))] ?? null;
}

/** Subgroups of a workgroup, and matrices of a subgroup, along m and along n. */
const SHAPES = [
  [2, 2],
  [2, 1],
  [1, 2],
  [1, 1],
] as const;
/** Workgroups that fill a mid-sized GPU. */
const FULL_WORKGROUPS = 128;

/** Relative time of a schedule: results with those outside, what is staged for each, and what stands idle. Measured nowhere. */
function costOf({ batch, m, n }: ContractionKernel, schedule: MatrixSchedule): number {
  const { rowsM, rowsN } = cellsOf(schedule);
  const workgroups = batch.extent * Math.ceil(m.extent / rowsM) * Math.ceil(n.extent / rowsN);
  return workgroups * rowsM * rowsN * (1 + 32 * (1 / rowsM + 1 / rowsN)) * Math.max(1, FULL_WORKGROUPS / workgroups);
}

/** Cells of the tiles and of a strip of results. */
function cellsOf({ config, down, across, tall, wide, depth }: MatrixSchedule) {
  const [rowsM, rowsN] = [down * tall * config.m, across * wide * config.n];
  return { rowsM, rowsN, a: rowsM * depth, b: rowsN * depth, sums: down * config.m * rowsN };
}

function memoryOf(schedule: MatrixSchedule): number {
  const { a, b, sums } = cellsOf(schedule);
  return (a + b) * (schedule.config.component === 'f16' ? 2 : 4) + sums * 4;
}

/** Whether every value of an expression is an f16 number. */
function isHalf(expr: Expr): boolean {
  switch (expr.kind) {
    case 'cast':
      return expr.via === 'f16';
    case 'const':
      return Number.isInteger(expr.value) && Math.abs(expr.value) <= 2048;
    case 'guard':
      return expr.otherwise === 0 && isHalf(expr.value);
    case 'choose':
      return isHalf(expr.a) && isHalf(expr.b);
    default:
      return false;
  }
}

/** Renders a contraction for matrix units; how `halves` convert is as in other kernels. */
export function renderMatrix(
  kernel: ContractionKernel,
  schedule: MatrixSchedule,
  { halves }: { readonly halves?: Halves | undefined } = {},
): RenderedKernel {
  const module = new WgslModule(kernel, { halves });
  const rendered = renderWith(module, kernel, schedule);
  // Only a rendering shows which buffers are read and written by whole vec4s alone.
  const vec4Buffers = module.vec4Candidates();
  const last =
    vec4Buffers.size > 0 ? renderWith(new WgslModule(kernel, { halves, vec4Buffers }), kernel, schedule) : rendered;
  return { ...last, entryPoint: 'main', ...signatureOf(kernel) };
}

function renderWith(
  module: WgslModule,
  kernel: ContractionKernel,
  schedule: MatrixSchedule,
): Pick<RenderedKernel, 'code' | 'workgroups'> {
  const { config, subgroups, down, across, tall, wide, depth } = schedule;
  const { component: type, m, n, k } = config;
  const cells = cellsOf(schedule);
  const threads = down * across * subgroups.size;
  const { directives } = module.functions;
  if (type === 'f16') directives.add('enable f16;');
  directives.add('enable chromium_experimental_subgroup_matrix;');
  for (const directive of subgroupDirectives(subgroups)) directives.add(directive);

  const root = module.scope({ vars: new Map([[kernel.batch, 'batch']]) });
  const grid = gridOf(kernel, cells.rowsM, cells.rowsN);
  const stage = (name: 'a' | 'b') => stageLines(kernel, root, name, { ...schedule, threads, ...cells });
  const columns = wide * n;
  const each = (count: number, line: (i: number) => string): string[] =>
    Array.from({ length: count }, (_, i) => line(i));
  const all = (line: (i: number, j: number) => string): string[] =>
    each(tall * wide, (at) => line(Math.floor(at / wide), at % wide));
  const left = `subgroupMatrixLoad<subgroup_matrix_left<${type}, ${k}, ${m}>, row_major>`;
  const right = `subgroupMatrixLoad<subgroup_matrix_right<${type}, ${n}, ${k}>, row_major>`;
  const stripCells = m * columns;
  const width = kernel.n.extent % 4 === 0 && n % 4 === 0 ? 4 : 1;
  const [stageA, stageB, epilogue] = [stage('a'), stage('b'), epilogueLines(kernel, root, width)];
  const code = fillTemplate(source, {
    declarations: declarationsOf(module),
    helpers: module.helpers(),
    type,
    sizeA: cells.a,
    sizeB: cells.b,
    sizeSums: cells.sums,
    threads,
    attribute: subgroupAttribute(subgroups),
    place: [...grid.lines, `let m0 = tileY * ${cells.rowsM}u;`, `let n0 = tileX * ${cells.rowsN}u;`],
    across,
    rows: tall * m,
    columns,
    hoisted: root.lines,
    results: all((i, j) => `var c${i}_${j}: subgroup_matrix_result<f32, ${n}, ${m}>;`),
    steps: kernel.k.extent,
    depth,
    m,
    k,
    stageA,
    stageB,
    multiply: [
      ...each(tall, (i) => `let left${i} = ${left}(&tileA, (rowA + ${i * m}u) * ${depth}u + kk, ${depth}u);`),
      ...each(
        wide,
        (j) => `let right${j} = ${right}(&tileB, kk * ${cells.rowsN}u + columnB + ${j * n}u, ${cells.rowsN}u);`,
      ),
      ...all((i, j) => `c${i}_${j} = subgroupMatrixMultiplyAccumulate(left${i}, right${j}, c${i}_${j});`),
    ],
    strips: tall,
    storeStrips: Array.from({ length: tall }, (_, i) => [
      i === tall - 1 ? 'default: {' : `case ${i}u: {`,
      ...each(
        wide,
        (j) => `subgroupMatrixStore<row_major>(&sums, subgroup * ${stripCells}u + ${j * n}u, c${i}_${j}, ${columns}u);`,
      ),
      '}',
    ]).flat(),
    stripCells,
    width,
    stride: threads * width,
    extentM: kernel.m.extent,
    extentN: kernel.n.extent,
    epilogue,
  });
  return { code, workgroups: grid.workgroups };
}

/** What is done with `width` neighbouring results. */
function epilogueLines({ m, n, acc, epilogue }: ContractionKernel, root: WgslScope, width: 1 | 4): string[] {
  const vars = new Map([
    [m, 'm'],
    [n, 'n'],
  ]);
  const code = width === 4 ? 'vec4(sums[cell], sums[cell + 1u], sums[cell + 2u], sums[cell + 3u])' : 'sums[cell]';
  const scope = root.child({
    vars,
    results: new Map([[acc, { code: 'result', width }]]),
    ...(width === 4 ? { vector: n } : {}),
  });
  scope.stores(epilogue);
  return [`let result = ${code};`, ...scope.lines];
}

interface Staging {
  readonly config: MatrixConfig;
  readonly threads: number;
  readonly depth: number;
  readonly rowsM: number;
  readonly rowsN: number;
}

/** Lines with which the workgroup copies the tile of an operand at k0: rows of a, rows of k of b. */
function stageLines(kernel: ContractionKernel, root: WgslScope, name: 'a' | 'b', staging: Staging): string[] {
  const { config, threads, depth, rowsM, rowsN } = staging;
  const operand = new Operand(kernel, name, root, 'scalar');
  const [rows, tile, first] = name === 'a' ? [rowsM, 'tileA', 'm0'] : [rowsN, 'tileB', 'n0'];
  const [extent, steps] = [operand.row.extent, kernel.k.extent];
  // Neighbouring invocations read neighbours in memory.
  const alongK = isCloserAlong(kernel[name], kernel.k, operand.row);
  const [row, k] = alongK ? [`cell / ${depth}u`, `cell % ${depth}u`] : [`cell % ${rows}u`, `cell / ${rows}u`];
  const [raggedRow, raggedK] = [extent % rows !== 0, steps % depth !== 0];
  const [atRow, atK] = [`${name}Row`, `${name}K`];
  const place = operand.rowAt(atRow);
  const step = operand.stepAt(atK, `${atK}_`);
  const body: string[] = [];
  const { code } = operand.read(place, step, body);
  // Rows outside repeat the last one, and their results are not stored; steps outside must add nothing.
  const value = raggedK ? `select(0f, ${code}, k0 + k < ${steps}u)` : code;
  return [
    `for (var cell = lane; cell < ${rows * depth}u; cell += ${threads}u) {`,
    `let row = ${row};`,
    `let k = ${k};`,
    `let ${atRow} = ${raggedRow ? `min(${first} + row, ${extent - 1}u)` : `${first} + row`};`,
    `let ${atK} = ${raggedK ? `min(k0 + k, ${steps - 1}u)` : 'k0 + k'};`,
    ...operand.linesOf(place),
    ...step.lines,
    ...body,
    `${tile}[${name === 'a' ? `row * ${depth}u + k` : `k * ${rows}u + row`}] = ${config.component}(${value});`,
    '}',
  ];
}

/** Whether the loads of an operand lie closer together along one variable than along another. */
function isCloserAlong(operand: Expr, one: IndexVar, other: IndexVar): boolean {
  const distance = (index: Index, along: IndexVar): number => {
    const at = (position: number) => valueAt(index, along, position);
    const [start, end] = [at(0), at(Math.min(8, along.extent - 1))];
    return start === null || end === null || along.extent < 2 ? Infinity : Math.abs(end - start);
  };
  const loads = expressionsOf(operand).flatMap((expr) => (expr.kind === 'load' ? [expr.index] : []));
  return loads.some((index) => distance(index, one) > 0 && distance(index, one) < (distance(index, other) || Infinity));
}

/** The value of an index where one variable has a position and the others are 0; null where it depends on data. */
function valueAt(index: Index, along: IndexVar, position: number): number | null {
  if (index.kind === 'const') return index.value;
  if (index.kind === 'var') return index.v === along ? position : 0;
  if (index.kind === 'value') return null;
  const a = valueAt(index.a, along, position);
  if (a === null) return null;
  switch (index.kind) {
    case 'mul':
      return a * index.b;
    case 'div':
      return Math.floor(a / index.b);
    case 'mod':
      return a % index.b;
    default: {
      const b = valueAt(index.b, along, position);
      return b === null ? null : index.kind === 'add' ? a + b : a - b;
    }
  }
}
