import { memory, profile, realize, type Tensor, tensor } from 'tiller';
import { currentEngine } from '../../src/compile/index.js';
import { median } from '../measure.js';
import type { SoloCase } from './case.js';
import { compiledPerceptron } from './mlpStep.js';
import { type Batch, batchAt } from './training.js';

const STEPS = 1000;
const WARM_UP_STEPS = 20;
const PROFILED_STEPS = 10;
/** Steps called one after the other before their losses are read, as in a loop that prints its loss now and then. */
const IN_FLIGHT = 10;

const onEngine = ({ images, labels }: Batch): [Tensor, Tensor] => [tensor(images.data, images), tensor(labels)];

export const stepOverhead: SoloCase = {
  kind: 'solo',
  name: 'stepOverhead',
  what: 'TypeScript time of the compiled training step of mlpStep, the time on the engine taken off: with a batch that is on the engine, and with a fresh one',

  async measure(_, { rounds }) {
    const { step, batches, dispose } = compiledPerceptron();
    const resident = batches.map(onEngine);
    for (let i = 0; i < WARM_UP_STEPS; i++) {
      await step(...batchAt(resident, i)).item();
      await step(...onEngine(batchAt(batches, i))).item();
    }

    const count = rounds ?? STEPS;
    const before = memory();
    const replays = await timeSteps(count, (i) => step(...batchAt(resident, i)));
    const after = memory();
    const inFlight = await timeSteps(count, (i) => step(...batchAt(resident, i)), IN_FLIGHT);
    const fresh = await timeSteps(count, (i) => step(...onEngine(batchAt(batches, i))));
    const report = await profile(async () => {
      for (let i = 0; i < PROFILED_STEPS; i++) await realize(step(...batchAt(resident, i)));
    });
    for (const x of resident.flat()) x.dispose();
    dispose();
    return {
      ms: median(replays) / 1000,
      min: Math.min(...replays) / 1000,
      samples: count,
      detail: {
        usPerStep: median(replays),
        usPerStepInFlight: median(inFlight),
        usPerStepFreshBatch: median(fresh),
        allocatedBytes: after.live + after.pooled - before.live - before.pooled,
        allocatedBuffers: after.buffers - before.buffers,
        submitsPerStep: report.submits / PROFILED_STEPS,
        kernelsPerStep: report.kernelCount / PROFILED_STEPS,
      },
    };
  },
};

/**
 * Microseconds of each step in the call, less what the engine computed inside it; the wait for a device comes between the steps and is
 * not counted.
 */
async function timeSteps(count: number, step: (i: number) => Tensor, waitEvery = 1): Promise<number[]> {
  const engine = currentEngine()!;
  // An engine that computes on the calling thread tells what each kernel took.
  let computed = 0;
  if (engine.name === 'wasm') {
    engine.onTimings?.((timings) => {
      for (const { ms } of timings) computed += ms;
    });
  }
  const times: number[] = [];
  let losses: Tensor[] = [];
  try {
    for (let i = 0; i < count; i++) {
      computed = 0;
      const start = performance.now();
      const loss = step(i);
      times.push(1000 * (performance.now() - start - computed));
      losses.push(loss);
      if (losses.length < waitEvery) continue;
      await realize(...losses);
      for (const done of losses) done.dispose();
      losses = [];
    }
  } finally {
    if (engine.name === 'wasm') engine.onTimings?.(null);
  }
  return times;
}
