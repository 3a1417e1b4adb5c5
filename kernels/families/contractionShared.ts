import source from '../../shaders/contractionShared.wgsl';
import type { ContractionKernel } from '../ir.js';
import type { WgslModule, WgslScope } from '../render/wgsl-writer.js';
import { affineIn, expressionsOf } from './affine.js';
import { epilogueLines, sum, sumDeclarations, ZERO_OF } from './contractionEpilogue.js';
import { gridOf } from './contractionGrid.js';
import { component, Operand } from './contractionOperand.js';
import { product } from './contractionProduct.js';
import type { ContractionSchedule } from './contractionSchedule.js';
import { declarationsOf } from './declarations.js';
import { fillTemplate } from './template.js';

/** Renders a contraction with tiles staged in workgroup memory; gives the code and the workgroups. */
export function renderShared(
  module: WgslModule,
  kernel: ContractionKernel,
  s: ContractionSchedule,
): { code: string; workgroups: readonly [number, number, number] } {
  const root = module.scope({ vars: new Map([[kernel.batch, 'batch']]) });
  const { tm, tn, ku } = s;
  const [rowsM, rowsN] = [tm * s.wgY, tn * s.wgX];
  const grid = gridOf(kernel, rowsM, rowsN);
  const a = new StagedOperand(kernel, s, 'a', root);
  const b = new StagedOperand(kernel, s, 'b', root);
  const [stageA, stageB] = kernel.k.extent > 0 ? [a.stageLines(), b.stageLines()] : [[], []];

  const multiply: string[] = [...a.fetchLines(), ...b.fetchLines()];
  for (let q = 0; q < 4; q++) {
    for (let i = 0; i < tm; i++) {
      for (let j = 0; j < tn; j++) {
        multiply.push(`${sum(i, j)} += ${product(kernel, a.element(i, q), b.element(j, q))};`);
      }
    }
  }

  const epilogue = epilogueLines(kernel, root, { tm, tn, rowsM, rowsN });
  const workers = s.wgX * s.wgY;
  const code = fillTemplate(source, {
    declarations: declarationsOf(module),
    helpers: module.helpers(),
    type: kernel.a.dtype,
    sizeA: a.cells * s.splitK,
    sizeB: b.cells * s.splitK,
    layerSums:
      s.splitK === 1
        ? []
        : [`var<workgroup> layerSums: array<${kernel.dtype}, ${(s.splitK - 1) * workers * tm * tn}>;`],
    sizeX: s.wgX,
    sizeY: s.wgY,
    layers: s.splitK,
    place: [
      ...grid.lines,
      `let m0 = (tileY * ${s.wgY}u + local.y) * ${tm}u;`,
      `let n0 = (tileX * ${s.wgX}u + local.x) * ${tn}u;`,
    ],
    hoisted: root.lines,
    sums: sumDeclarations(kernel, tm, tn),
    stages: Math.ceil(kernel.k.extent / (ku * s.splitK)),
    ku,
    stageA,
    stageB,
    quarters: ku / 4,
    multiply,
    combine: s.splitK === 1 ? [] : combineLines(s, workers),
    epilogue: s.splitK === 1 ? epilogue : ['if (layer == 0u) {', ...epilogue, '}'],
  });
  return { code, workgroups: grid.workgroups };
}

/** Adds the layers' sums to those of layer 0, always in the same order. */
function combineLines({ tm, tn, splitK }: ContractionSchedule, workers: number): string[] {
  const at = (layer: string, i: number, j: number): string =>
    `layerSums[(${layer} * ${workers}u + worker) * ${tm * tn}u + ${i * tn + j}u]`;
  const each = (line: (i: number, j: number) => string): string[] =>
    Array.from({ length: tm * tn }, (_, x) => line(Math.floor(x / tn), x % tn));
  return [
    'if (layer > 0u) {',
    ...each((i, j) => `${at('(layer - 1u)', i, j)} = ${sum(i, j)};`),
    '}',
    'workgroupBarrier();',
    'if (layer == 0u) {',
    `for (var other = 0u; other < ${splitK - 1}u; other++) {`,
    ...each((i, j) => `${sum(i, j)} += ${at('other', i, j)};`),
    '}',
    '}',
  ];
}

/**
 * One operand's tile in workgroup memory: vec4 cells of four neighbouring rows at one k (`row` layout, k outermost), or of four
 * steps of k of one row (`k` layout, rows outermost and padded by a cell against bank conflicts).
 */
class StagedOperand {
  /** Cells of one layer, padding included. */
  readonly cells: number;
  private readonly operand: Operand;
  private readonly layout: 'row' | 'k';
  private readonly rows: number;
  private readonly pitch: number;
  private readonly tile: string;
  private readonly own: string;
  private readonly fetched: string;
  private readonly count: number;

  constructor(
    private readonly kernel: ContractionKernel,
    private readonly s: ContractionSchedule,
    private readonly name: 'a' | 'b',
    root: WgslScope,
  ) {
    const load = name === 'a' ? s.loadA : s.loadB;
    this.operand = new Operand(kernel, name, root, load);
    [this.tile, this.fetched, this.own, this.count] =
      name === 'a' ? ['tileA', 'left', 'local.y', s.tm] : ['tileB', 'right', 'local.x', s.tn];
    this.rows = name === 'a' ? s.tm * s.wgY : s.tn * s.wgX;
    this.layout = load !== 'scalar' ? load : this.rows % 4 !== 0 || this.contiguousAlongK() ? 'k' : 'row';
    this.pitch = this.layout === 'row' ? this.rows / 4 : s.ku / 4 + 1;
    this.cells = this.layout === 'row' ? s.ku * this.pitch : this.rows * this.pitch;
  }

  /** Neighbouring invocations then read neighbouring steps of k. */
  private contiguousAlongK(): boolean {
    const { batch, k } = this.kernel;
    const loads = expressionsOf(this.kernel[this.name]).filter((e) => e.kind === 'load');
    return loads.some((load) => affineIn(load.index, [k, batch, this.operand.row])?.strides[0] === 1);
  }

  /** Base of this layer in the tile. */
  private get layerBase(): string {
    return this.s.splitK === 1 ? '' : `layer * ${this.cells}u + `;
  }

  /** Lines with which the workgroup copies the tile at k0 into workgroup memory. */
  stageLines(): string[] {
    const { s, rows, layout, name } = this;
    const { extent } = this.operand.row;
    const steps = this.kernel.k.extent;
    const wide = this.operand.load !== 'scalar';
    const perRow = layout === 'row' ? rows / 4 : s.ku / 4;
    const total = layout === 'row' ? s.ku * perRow : rows * perRow;
    const [row, k] =
      layout === 'row'
        ? [`(cell % ${perRow}u) * 4u`, `cell / ${perRow}u`]
        : [`cell / ${perRow}u`, `(cell % ${perRow}u) * 4u`];
    const firstRow = name === 'a' ? `tileY * ${rows}u` : `tileX * ${rows}u`;
    const lines = [
      `for (var cell = worker; cell < ${total}u; cell += ${s.wgX * s.wgY}u) {`,
      `let row = ${firstRow} + ${row};`,
      `let k = k0 + ${k};`,
    ];
    // Rows outside read the last one, their sums are never stored; steps outside must add nothing.
    const inside = (code: string, bound: number, size: number, offset: number, width: number): string =>
      size % bound === 0
        ? offset === 0
          ? code
          : `(${code} + ${offset}u)`
        : `min(${code} + ${offset}u, ${size - width}u)`;
    const rowBound = rows;
    const kBound = s.ku * s.splitK;
    const parts: string[] = [];
    const read = (rowOffset: number, kOffset: number, suffix: string): string => {
      const rowWide = wide && layout === 'row';
      const kWide = wide && layout === 'k';
      lines.push(`let ${name}Row${suffix} = ${inside('row', rowBound, extent, rowOffset, rowWide ? 4 : 1)};`);
      lines.push(`let ${name}K${suffix} = ${inside('k', kBound, steps, kOffset, kWide ? 4 : 1)};`);
      const place = this.operand.rowAt(`${name}Row${suffix}`, rowWide);
      const step = this.operand.stepAt(`${name}K${suffix}`, `${name}K${suffix}_`, kWide);
      const body: string[] = [];
      const value = this.operand.read(place, step, body);
      lines.push(...this.operand.linesOf(place), ...step.lines, ...body);
      return wide && value.width === 1 ? `vec4(${value.code})` : value.code;
    };
    if (wide) parts.push(read(0, 0, ''));
    else for (let c = 0; c < 4; c++) parts.push(layout === 'row' ? read(c, 0, `${c}`) : read(0, c, `${c}`));
    const type = this.kernel.a.dtype;
    const zero = ZERO_OF[type]!;
    const cell = `${this.layerBase}${layout === 'row' ? 'cell' : `cell + cell / ${perRow}u`}`;
    let value: string;
    if (steps % kBound === 0) value = wide ? parts[0]! : `vec4<${type}>(${parts.join(', ')})`;
    else if (wide) value = `select(vec4<${type}>(), ${parts[0]}, k < ${steps}u)`;
    else {
      const kept = parts.map((p, c) => `select(${zero}, ${p}, k${layout === 'k' ? ` + ${c}u` : ''} < ${steps}u)`);
      value = `vec4<${type}>(${kept.join(', ')})`;
    }
    lines.push(`${this.tile}[${cell}] = ${value};`, '}');
    return lines;
  }

  /** Lines that bring what this invocation needs for four steps of k from workgroup memory into registers. */
  fetchLines(): string[] {
    const { fetched, pitch, tile, own, count, layerBase } = this;
    const lines: string[] = [];
    if (this.layout === 'k') {
      for (let i = 0; i < count; i++) {
        lines.push(`let ${fetched}${i} = ${tile}[${layerBase}(${own} * ${count}u + ${i}u) * ${pitch}u + quarter];`);
      }
    } else {
      for (let q = 0; q < 4; q++) {
        for (let g = 0; g < count / 4; g++) {
          lines.push(
            `let ${fetched}${g}_${q} = ${tile}[${layerBase}(quarter * 4u + ${q}u) * ${pitch}u + ${own} * ${count / 4}u + ${g}u];`,
          );
        }
      }
    }
    return lines;
  }

  /** Row i of this invocation at step q of the quarter. */
  element(i: number, q: number): string {
    const wide = { code: '', width: 4 } as const;
    return this.layout === 'k'
      ? component(`${this.fetched}${i}`, wide, q)
      : component(`${this.fetched}${i >> 2}_${q}`, wide, i % 4);
  }
}
