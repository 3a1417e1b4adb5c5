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

function unrolledLines(kernel: ContractionKernel, root: WgslScope, tile: OutputTile): string[] {
  const { m, n, acc, epilogue } = kernel;
  const lines: string[] = [];
  // Four columns at a time where they exist together.
  const wide = tile.tn % 4 === 0 && n.extent % 4 === 0;
  for (let i = 0; i < tile.tm; i++) {
    const row = root.child({ vars: new Map([[m, `(m0 + ${i}u)`]]) });
    const cells: string[] = [];
    for (let j = 0; j < tile.tn; j += wide ? 4 : 1) {
      const vars = new Map([[n, `(n0 + ${j}u)`]]);
      const cell = row.child(
        wide
          ? {
              vars,
              vector: n,
              results: new Map([
                [acc, { code: `vec4(${[0, 1, 2, 3].map((c) => sum(i, j + c)).join(', ')})`, width: 4 as const }],
              ]),
            }
          : { vars, results: new Map([[acc, sum(i, j)]]) },
      );
      cell.stores(epilogue);
      cells.push(...(raggedN(kernel, tile) ? [`if (n0 + ${j}u < ${n.extent}u) {`, ...cell.lines, '}'] : cell.lines));
    }
    const body = [...row.lines, ...cells];
    lines.push(...(raggedM(kernel, tile) ? [`if (m0 + ${i}u < ${m.extent}u) {`, ...body, '}'] : body));
  }
  return lines;
}

function loopLines(kernel: ContractionKernel, root: WgslScope, tile: OutputTile): string[] {
  const { m, n, acc, epilogue } = kernel;
  const row = root.child({ vars: new Map([[m, 'm']]) });
  const cell = row.child({ vars: new Map([[n, 'n']]), results: new Map([[acc, 'value']]) });
  cell.stores(epilogue);
  const all: string[] = [];
  for (let i = 0; i < tile.tm; i++) for (let j = 0; j < tile.tn; j++) all.push(sum(i, j));
  const boundM = raggedM(kernel, tile) ? ` && m0 + i < ${m.extent}u` : '';
  const boundN = raggedN(kernel, tile) ? ` && n0 + j < ${n.extent}u` : '';
  return [
    `var outputs = array(${all.join(', ')});`,
    `for (var i = 0u; i < ${tile.tm}u${boundM}; i++) {`,
    'let m = m0 + i;',
    ...row.lines,
    `for (var j = 0u; j < ${tile.tn}u${boundN}; j++) {`,
    'let n = n0 + j;',
    `let value = outputs[i * ${tile.tn}u + j];`,
    ...cell.lines,
    '}',
    '}',
  ];
}
