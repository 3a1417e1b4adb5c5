import * as tl from 'tiller';
import type { SoloCase } from './cases/case.js';
import type { MeasureOptions } from './measure.js';
import type { Row } from './report.js';
import type { TillerSide } from './tiller.js';

/** Runs a benchmark of tiller alone on each of its sides. */
export async function solo(benchmark: SoloCase, sides: readonly TillerSide[], options: MeasureOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { init, engine, adapter, toggles } of sides) {
    await tl.init(init);
    const found = await benchmark.measure(init, options);
    const nobody = { peer: null, peerMs: null, peerMin: null, ratio: null, maxError: null, agrees: null };
    rows.push({ bench: benchmark.name, engine, adapter, toggles, ...found, ...nobody });
  }
  return rows;
}
