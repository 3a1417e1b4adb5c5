import source from '../../shaders/contractionRegister.wgsl';
import type { ContractionKernel } from '../ir.js';
import type { WgslModule, WgslScope, WgslValue } from '../render/wgsl-writer.js';
import { epilogueLines, sum, sumDeclarations } from './contractionEpilogue.js';
import { gridOf } from './contractionGrid.js';
import { component, Operand, type OperandRow } from './contractionOperand.js';
import { product } from './contractionProduct.js';
import type { ContractionSchedule } from './contractionSchedule.js';
import { declarationsOf } from './declarations.js';
import { fillTemplate } from './template.js';

/** Renders a contraction as register tiles; gives the code and the workgroups. */
export function renderRegister(
  module: WgslModule,
  kernel: ContractionKernel,
  s: ContractionSchedule,
): { code: string; workgroups: readonly [number, number, number] } {
  const root = module.scope({ vars: new Map([[kernel.batch, 'batch']]) });
  const a = new RegisterOperand(kernel, s, 'a', root);
  const b = new RegisterOperand(kernel, s, 'b', root);
  const { tm, tn } = s;
  const [rowsM, rowsN] = [tm * s.wgY, tn * s.wgX];
  const grid = gridOf(kernel, rowsM, rowsN);

  const multiply = (step: number, lines: string[]): void => {
    // Each shared element is handed on right before it is used, so that few of them live at once.
    const [outer, inner] = s.share === 'b' ? [tn, tm] : [tm, tn];
    for (let o = 0; o < outer; o++) {
      for (let p = 0; p < inner; p++) {
        const [i, j] = s.share === 'b' ? [p, o] : [o, p];
        const [left, right] = [a.element(i, step, lines), b.element(j, step, lines)];
        lines.push(`${sum(i, j)} += ${product(kernel, left, right)};`);
      }
    }
  };

  // Operands read four steps at a time go in whole fours.
  const wideK = s.loadA === 'k' || s.loadB === 'k';
  const ku = wideK && kernel.k.extent % s.ku !== 0 ? 4 : s.ku;
  const steps = kernel.k.extent;
  const layers = s.splitK;
  const whole = steps - (steps % (ku * layers));
  const unrolled = layers === 1 && steps <= MAX_UNROLLED_STEPS;
  const round = (lines: string[]): void => {
    if (layers > 1) lines.push('let k0 = k + layer;');
    for (let q = 1; q < ku; q++)
      lines.push(layers > 1 ? `let k${q} = k0 + ${q * layers}u;` : `${unrolled ? 'const' : 'let'} k${q} = k + ${q}u;`);
    for (const operand of [a, b]) operand.beginRound(ku, lines);
    for (let q = 0; q < ku; q++) {
      for (const operand of [b, a]) operand.beginStep(q, q === 0 && layers === 1 ? 'k' : `k${q}`, lines);
      multiply(q, lines);
    }
  };
  const loneStep = (lines: string[]): void => {
    for (const operand of [b, a]) operand.beginLoneStep('k', lines);
    multiply(0, lines);
  };
  const loop = repeated(0, whole, ku * layers, unrolled, round);
  const rest = repeated(whole, steps, layers, unrolled, loneStep, layers > 1 ? ' + layer' : '');
  if (layers > 1) rest.push(...quadSums(tm, tn));

  const stores = epilogueLines(kernel, root, { tm, tn, rowsM, rowsN });
  const epilogue = layers > 1 ? ['if (layer == 0u) {', ...stores, '}'] : stores;
  // Four consecutive invocations make a quad; they lie along the operand whose loads they do not share.
  const [along, across] =
    s.share === 'b' ? ['local.y', 'local.x'] : layers > 1 ? ['local.y', 'local.z'] : ['local.x', 'local.y'];
  const code = fillTemplate(source, {
    features: s.share === 'none' && layers === 1 ? [] : ['enable subgroups;'],
    declarations: declarationsOf(module),
    helpers: module.helpers(),
    size: (layers > 1 ? [layers, s.wgX, s.wgY] : s.share === 'b' ? [s.wgY, s.wgX, 1] : [s.wgX, s.wgY, 1]).join(', '),
    place: [
      ...grid.lines,
      ...(layers > 1 ? ['let layer = local.x;'] : []),
      `let m0 = (tileY * ${s.wgY}u + ${across}) * ${tm}u;`,
      `let n0 = (tileX * ${s.wgX}u + ${along}) * ${tn}u;`,
    ],
    hoisted: [...root.lines, ...(steps > 0 ? [...a.hoistedLines(), ...b.hoistedLines()] : [])],
    sums: sumDeclarations(kernel, tm, tn),
    loop,
    rest,
    epilogue,
  });
  return { code, workgroups: grid.workgroups };
}

/** Adds the sums that the four invocations of a quad have, in a fixed order. */
function quadSums(tm: number, tn: number): string[] {
  const names = Array.from({ length: tm * tn }, (_, at) => sum(Math.floor(at / tn), at % tn));
  return ['X', 'Y'].flatMap((swap) => names.map((name) => `${name} += quadSwap${swap}(${name});`));
}

/** So few steps of k are written out: what depends on k alone is then computed by the compiler. */
const MAX_UNROLLED_STEPS = 16;

/** Lines for k = from, from + by, … below `to`, in a loop or one after the other. */
function repeated(
  from: number,
  to: number,
  by: number,
  unrolled: boolean,
  body: (lines: string[]) => void,
  offset = '',
): string[] {
  const lines: string[] = [];
  for (let k = from; k < to; k += unrolled ? by : to) {
    lines.push(unrolled ? `{ const k = ${k}u;` : `for (var k = ${from}u${offset}; k < ${to}u; k += ${by}u) {`);
    body(lines);
    lines.push('}');
  }
  return lines;
}

/** One operand's elements in the registers of an invocation: `element(i, q)` names the value of row i at step q of the round. */
class RegisterOperand {
  private readonly operand: Operand;
  private readonly rows: OperandRow[] = [];
  private readonly places: string[] = [];
  private readonly wideRows: boolean;
  private readonly shared: boolean;
  /** What has been read in this round: by row (or group of four rows) and first step. */
  private readonly values = new Map<string, { name: string; value: WgslValue }>();
  private readonly broadcasts = new Map<string, string>();
  /** Whether a reading of this round serves four steps, from lanes or from components, or one. */
  private serves: 'lanes' | 'components' | 'step' = 'step';

  constructor(
    kernel: ContractionKernel,
    s: ContractionSchedule,
    private readonly name: 'a' | 'b',
    root: WgslScope,
  ) {
    const load = name === 'a' ? s.loadA : s.loadB;
    this.operand = new Operand(kernel, name, root, load);
    this.shared = s.share === name;
    this.wideRows = load === 'row';
    const { extent } = this.operand.row;
    const [count, perWorkgroup, first] = name === 'a' ? [s.tm, s.tm * s.wgY, 'm0'] : [s.tn, s.tn * s.wgX, 'n0'];
    const width = this.wideRows ? 4 : 1;
    for (let i = 0; i < count; i += width) {
      const at = `${first} + ${i}u`;
      const place = `${name}Row${i}`;
      // Rows outside read the last one; their sums are never stored.
      const inside = extent % perWorkgroup === 0 ? at : `min(${at}, ${extent - width}u)`;
      this.places.push(`let ${place} = ${inside};`);
      this.rows.push(this.operand.rowAt(place, this.wideRows));
    }
  }

  hoistedLines(): string[] {
    return [...this.places, ...this.rows.flatMap((row) => this.operand.linesOf(row))];
  }

  /** Starts a round of `ku` steps at `k`: reads what serves several of them. */
  beginRound(ku: number, lines: string[]): void {
    this.values.clear();
    this.broadcasts.clear();
    this.serves = this.shared ? 'lanes' : this.operand.load === 'k' ? 'components' : 'step';
    if (this.serves === 'step') return;
    for (let q = 0; q < ku; q += 4) {
      const from = q === 0 ? 'k' : `k${q}`;
      if (this.serves === 'lanes') {
        // Invocation number i of the quad reads step i.
        lines.push(`let ${this.name}Lane${q} = ${from} + (local.x & 3u);`);
        this.readRows(`${this.name}Lane${q}`, q, false, lines);
      } else {
        this.readRows(from, q, true, lines);
      }
    }
  }

  /** Reads what serves step `q`, at `code`, alone. */
  beginStep(q: number, code: string, lines: string[]): void {
    if (this.serves === 'step') this.readRows(code, q, false, lines);
  }

  /** Starts a round of one step, which every invocation reads for itself. */
  beginLoneStep(code: string, lines: string[]): void {
    this.values.clear();
    this.serves = 'step';
    this.readRows(code, 0, false, lines);
  }

  private readRows(code: string, q: number, wide: boolean, lines: string[]): void {
    const step = this.operand.stepAt(code, `${this.name}K${q}_`, wide);
    lines.push(...step.lines);
    this.rows.forEach((row, r) => {
      const value = this.operand.read(row, step, lines);
      const named = /^\w+$/.test(value.code);
      const name = named ? value.code : `${this.name}${r}_${q}`;
      if (!named) lines.push(`let ${name} = ${value.code};`);
      this.values.set(`${r} ${q}`, { name, value });
    });
  }

  /** The name of row i's value at step q. */
  element(i: number, q: number, lines: string[]): string {
    const first = this.serves === 'step' ? q : q - (q % 4);
    const { name, value } = this.values.get(`${this.wideRows ? i >> 2 : i} ${first}`)!;
    if (this.serves === 'components') return component(name, value, q % 4);
    if (this.serves === 'step') return this.wideRows ? component(name, value, i % 4) : name;
    const key = `${i} ${q}`;
    let broadcast = this.broadcasts.get(key);
    if (broadcast === undefined) {
      broadcast = `${this.name}${i}_${q}q`;
      lines.push(`let ${broadcast} = quadBroadcast(${name}, ${q % 4}u);`);
      this.broadcasts.set(key, broadcast);
    }
    return broadcast;
  }
}
