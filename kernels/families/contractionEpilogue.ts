import type { ContractionKernel } from '../ir.js';
import type { WgslScope } from '../render/wgsl-writer.js';
import { expressionsOf } from './affine.js';

/** The outputs of one invocation: rows m0 .. m0 + tm - 1, columns n0 .. n0 + tn - 1, with the sums in variables named by `sum`. */
export interface OutputTile {
  readonly tm: number;
  readonly tn: number;
  /** Outputs of a workgroup along m and n: where they do not divide the extents, some rows or columns lie outside. */
  readonly rowsM: number;
  readonly rowsN: number;
}

export const sum = (i: number, j: number): string => `c${i}_${j}`;

/** WGSL literal of zero, by the type of a contraction's sums. */
export const ZERO_OF: Record<string, string> = { f32: '0f', i32: '0i', u32: '0u' };

/** WGSL lines that declare the sums of a tile, a line for each row. */
export const sumDeclarations = ({ dtype }: ContractionKernel, tm: number, tn: number): string[] =>
  Array.from({ length: tm }, (_, i) =>
    Array.from({ length: tn }, (_, j) => `var ${sum(i, j)} = ${ZERO_OF[dtype]!};`).join(' '),
  );

/** Above this many expressions, the outputs of a tile are stored in a loop: compiling many copies would take longer than running them. */
const MAX_UNROLLED_EXPRESSIONS = 256;

/** WGSL lines that run the epilogue's stores at every output of the tile that exists. */
export function epilogueLines(kernel: ContractionKernel, root: WgslScope, tile: OutputTile): string[] {
  const expressions = new Set(kernel.epilogue.flatMap((store) => expressionsOf(store.value)));
  const unrolled = (expressions.size + kernel.epilogue.length - 1) * tile.tm * tile.tn <= MAX_UNROLLED_EXPRESSIONS;
  return unrolled ? unrolledLines(kernel, root, tile) : loopLines(kernel, root, tile);
}

const raggedM = (kernel: ContractionKernel, tile: OutputTile): boolean => kernel.m.extent % tile.rowsM !== 0;
const raggedN = (kernel: ContractionKernel, tile: OutputTile): boolean => kernel.n.extent % tile.rowsN !== 0;

/** Whether four neighbouring columns exist together. */
const isWide = (kernel: ContractionKernel, tile: OutputTile): boolean => tile.tn % 4 === 0 && kernel.n.extent % 4 === 0;

/** The columns of a row, four at a time where they exist together; `at(j)` names the sum of column j, or of the four from it on. */
function cellLines(
  kernel: ContractionKernel,
  row: WgslScope,
  tile: OutputTile,
  at: (j: number, wide: boolean) => string,
): string[] {
  const { n, acc, epilogue } = kernel;
  const wide = isWide(kernel, tile);
  const cells: string[] = [];
  for (let j = 0; j < tile.tn; j += wide ? 4 : 1) {
    const vars = new Map([[n, `(n0 + ${j}u)`]]);
    const code = at(j, wide);
    const cell = row.child(
      wide
        ? { vars, vector: n, results: new Map([[acc, { code, width: 4 as const }]]) }
        : { vars, results: new Map([[acc, code]]) },
    );
    cell.stores(epilogue);
    cells.push(...(raggedN(kernel, tile) ? [`if (n0 + ${j}u < ${n.extent}u) {`, ...cell.lines, '}'] : cell.lines));
  }
  return cells;
}

const four = (i: number, j: number): string => `vec4(${[0, 1, 2, 3].map((c) => sum(i, j + c)).join(', ')})`;

function unrolledLines(kernel: ContractionKernel, root: WgslScope, tile: OutputTile): string[] {
  const lines: string[] = [];
  for (let i = 0; i < tile.tm; i++) {
    const row = root.child({ vars: new Map([[kernel.m, `(m0 + ${i}u)`]]) });
    const cells = cellLines(kernel, row, tile, (j, wide) => (wide ? four(i, j) : sum(i, j)));
    const body = [...row.lines, ...cells];
    lines.push(...(raggedM(kernel, tile) ? [`if (m0 + ${i}u < ${kernel.m.extent}u) {`, ...body, '}'] : body));
  }
  return lines;
}

function loopLines(kernel: ContractionKernel, root: WgslScope, tile: OutputTile): string[] {
  const { m } = kernel;
  const wide = isWide(kernel, tile);
  const width = wide ? 4 : 1;
  const perRow = tile.tn / width;
  const all: string[] = [];
  for (let i = 0; i < tile.tm; i++) {
    for (let j = 0; j < tile.tn; j += width) all.push(wide ? four(i, j) : sum(i, j));
  }
  const row = root.child({ vars: new Map([[m, 'm']]) });
  const cells = cellLines(kernel, row, tile, (j) => `outputs[i * ${perRow}u + ${j / width}u]`);
  const bound = raggedM(kernel, tile) ? ` && m0 + i < ${m.extent}u` : '';
  return [
    `var outputs = array(${all.join(', ')});`,
    `for (var i = 0u; i < ${tile.tm}u${bound}; i++) {`,
    'let m = m0 + i;',
    ...row.lines,
    ...cells,
    '}',
  ];
}
