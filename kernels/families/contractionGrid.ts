import type { ContractionKernel } from '../ir.js';

/** WebGPU's limit on each dimension of a dispatch. */
export const MAX_WORKGROUPS_PER_DIMENSION = 65535;

export interface Grid {
  readonly workgroups: readonly [number, number, number];
  /** WGSL lines that define tileX (along n), tileY (along m) and batch, all the same throughout a workgroup. */
  readonly lines: readonly string[];
}

/** One workgroup for every (tile of n, tile of m, batch), folded where a dimension would pass the limit. */
export function gridOf(kernel: ContractionKernel, rowsM: number, rowsN: number): Grid {
  const tilesN = Math.ceil(kernel.n.extent / rowsN);
  const tilesM = Math.ceil(kernel.m.extent / rowsM);
  const batches = kernel.batch.extent;
  if (Math.max(tilesN, tilesM, batches) <= MAX_WORKGROUPS_PER_DIMENSION) {
    return {
      workgroups: [tilesN, tilesM, batches],
      lines: ['let tileX = group.x;', 'let tileY = group.y;', 'let batch = group.z;'],
    };
  }
  const total = tilesN * tilesM * batches;
  const layers = Math.ceil(total / MAX_WORKGROUPS_PER_DIMENSION ** 2);
  const rows = Math.ceil(total / (MAX_WORKGROUPS_PER_DIMENSION * layers));
  const columns = Math.ceil(total / (rows * layers));
  return {
    workgroups: [columns, rows, layers],
    lines: [
      `let flat = group.x + ${columns}u * (group.y + ${rows}u * group.z);`,
      ...(columns * rows * layers > total ? [`if (flat >= ${total}u) {`, 'return;', '}'] : []),
      `let tileX = flat % ${tilesN}u;`,
      `let tileY = (flat / ${tilesN}u) % ${tilesM}u;`,
      `let batch = flat / ${tilesN * tilesM}u;`,
    ],
  };
}
