import { engineInfo, roofline } from '../index.js';

/** Prints what the engine reaches at best. */
export async function printRoofline(json: boolean): Promise<void> {
  const { engine, adapter, software } = engineInfo();
  const { gflops, gbs, timedBy } = await roofline();
  if (json) {
    console.log(JSON.stringify({ engine, adapter, software, gflops, gbs, timedBy }));
    return;
  }
  console.log(`${engine}: ${adapter}${software ? ' (the CPU does the work)' : ''}
  arithmetic  ${gflops.toFixed(1).padStart(9)} GFLOP/s, in a large f32 product of matrices
  memory      ${gbs.toFixed(1).padStart(9)} GB/s, read and written, in a large f32 sum
  balance     ${(gflops / gbs).toFixed(1).padStart(9)} FLOP per byte: a kernel of less waits for memory
  timed by ${timedBy === 'timestamps' ? 'timestamps of the device' : 'a clock around the work'}, the best of several runs`);
}
