import source from '../../shaders/contractionRegister.wgsl';
import type { ContractionKernel, Expr } from '../ir.js';
import type { WgslModule, WgslScope } from '../render/wgsl-writer.js';
import { sum, sumDeclarations } from './contractionEpilogue.js';
import { gridOf } from './contractionGrid.js';
import { product } from './contractionProduct.js';
import type { ContractionSchedule } from './contractionSchedule.js';
import { TilePoints } from './contractionTile.js';
import { declarationsOf } from './declarations.js';
import { fillTemplate } from './template.js';

/** Renders a contraction of few steps written out: the taps of neighbouring outputs overlap, and are read once. */
export function renderUnrolled(
  module: WgslModule,
  kernel: ContractionKernel,
  { tm, tn, wgX, wgY }: ContractionSchedule,
): { code: string; workgroups: readonly [number, number, number] } {
  const points = new TilePoints(kernel, tm, tn);
  const { tileM, tileN } = points;
  const grid = gridOf(kernel, tm * wgY, tn * wgX);
  const lines = new StraightLines();
  const vars = new Map([
    [kernel.batch, 'batch'],
    [tileM, 'rowTile'],
    [tileN, 'columnTile'],
  ]);
  // Each place has a scope of its own, since what scopes share they tell apart by variables, and here the same variables have other values.
  const scopeAt = (i: number, j: number, step: number): WgslScope =>
    module.scope({ vars, indices: points.at(i, j, step) });
  const operand = (root: Expr, i: number, j: number, step: number): string => {
    const scope = scopeAt(i, j, step);
    const code = scope.expr(root);
    lines.append(scope.lines);
    return lines.name(module.fresh('v'), code);
  };
  for (let step = 0; step < kernel.k.extent; step++) {
    const left = Array.from({ length: tm }, (_, i) => operand(kernel.a, i, 0, step));
    for (let j = 0; j < tn; j++) {
      const right = operand(kernel.b, 0, j, step);
      left.forEach((value, i) => void lines.push(`${sum(i, j)} += ${product(kernel, value, right)};`));
    }
  }
  const epilogue: string[] = [];
  for (let i = 0; i < tm; i++) {
    for (let j = 0; j < tn; j++) {
      const outer = scopeAt(i, j, 0);
      const inner = outer.child({ results: new Map([[kernel.acc, sum(i, j)]]) });
      inner.stores(kernel.epilogue);
      epilogue.push('{', ...outer.lines, ...inner.lines, '}');
    }
  }
  const place = (name: string, tiles: number, size: number, group: string, local: string): string => {
    const at = `${group} * ${size}u + ${local}`;
    return `let ${name} = ${tiles % size === 0 ? at : `min(${at}, ${tiles - 1}u)`};`;
  };
  // Invocations outside compute the last tile once more, and store nothing.
  const inside = [
    ...(tileN.extent % wgX === 0 ? [] : [`tileX * ${wgX}u + local.x < ${tileN.extent}u`]),
    ...(tileM.extent % wgY === 0 ? [] : [`tileY * ${wgY}u + local.y < ${tileM.extent}u`]),
  ];
  const code = fillTemplate(source, {
    features: [],
    declarations: declarationsOf(module),
    helpers: module.helpers(),
    size: `${wgX}, ${wgY}, 1`,
    place: [
      ...grid.lines,
      place('columnTile', tileN.extent, wgX, 'tileX', 'local.x'),
      place('rowTile', tileM.extent, wgY, 'tileY', 'local.y'),
    ],
    hoisted: [],
    sums: sumDeclarations(kernel, tm, tn),
    loop: lines.lines,
    rest: [],
    epilogue: inside.length > 0 ? [`if (${inside.join(' && ')}) {`, ...epilogue, '}'] : epilogue,
  });
  return { code, workgroups: grid.workgroups };
}

const LET = /^let (\w+) = (.*);$/;

/** Lines without branches, of which each value is computed once: names whose values have the same text are one name. */
class StraightLines {
  readonly lines: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #known = new Map<string, string>();

  /** Lines of `let`s. */
  append(lines: readonly string[]): void {
    for (const line of lines) {
      const [, name, value] = LET.exec(line)!;
      this.#names.set(name!, this.name(name!, value!));
    }
  }

  /** The name of a value: of an equal one before it, or the given one. */
  name(name: string, value: string): string {
    const code = value.replace(/\b[a-z]\w*/g, (word) => this.#names.get(word) ?? word);
    const known = this.#known.get(code);
    if (known !== undefined) return known;
    this.lines.push(`let ${name} = ${code};`);
    this.#known.set(code, name);
    return name;
  }

  push(line: string): void {
    this.lines.push(line);
  }
}
