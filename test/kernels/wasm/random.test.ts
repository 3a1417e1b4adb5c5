import { describe, expect, it } from 'vitest';
import { renderLoopKernelToWasm } from '../../../kernels/render/wasm/loop.js';
import type { WasmFeatures } from '../../../kernels/render/wasm/rendered.js';
import { LOOP_TUNING, type LoopTuning } from '../../../kernels/render/wasm/tuning.js';
import type { WordDType } from '../../../src/graph/index.js';
import { interpret } from '../interpret.js';
import { type RandomKernel, randomKernel } from './random-kernels.js';
import { atOnce, inThree, oneByOneBackwards, plain, RunningKernel, relaxed, type Split } from './run.js';

/** Short tasks and parts, so that small kernels have several. */
const small: LoopTuning = { lanes: 'cheaper', taskCost: 40, longCost: 100, leastPart: 16, leastTiled: 64 };
const ways: readonly [string, LoopTuning, WasmFeatures, Split][] = [
  ['as chosen', LOOP_TUNING, relaxed, atOnce],
  ['lanes over points', { ...small, lanes: 'points' }, plain, inThree],
  ['lanes along loops', { ...small, lanes: 'inner' }, plain, oneByOneBackwards],
  ['short tasks', small, relaxed, oneByOneBackwards],
];

const decode = (words: Uint32Array, dtype: WordDType): Float64Array => {
  const copy = words.slice();
  return Float64Array.from(
    dtype === 'f32' ? new Float32Array(copy.buffer) : dtype === 'i32' ? new Int32Array(copy.buffer) : copy,
  );
};

function check({ kernel, params, data }: RandomKernel, tuning: LoopTuning, features: WasmFeatures, split: Split): void {
  const want = data.map((words, i) => decode(words, kernel.buffers[i]!.dtype));
  interpret(kernel, want, params);
  const running = new RunningKernel(kernel, renderLoopKernelToWasm(kernel, features, tuning), params);
  data.forEach((words, i) => void running.buffers[i]!.set(words));
  running.run(split);
  running.check();
  kernel.buffers.forEach(({ dtype }, i) => {
    const got = decode(running.buffers[i]!, dtype);
    want[i]!.forEach((value, at) => {
      if (!Object.is(got[at], value)) throw new Error(`buffer ${i}, element ${at}: got ${got[at]}, expected ${value}`);
    });
  });
}

const KERNELS = Number(process.env.TILLER_RANDOM_KERNELS ?? 150);
const FIRST = Number(process.env.TILLER_RANDOM_FIRST ?? 1);

describe('random kernels are what the interpreter says', () => {
  for (const [name, tuning, features, split] of ways) {
    it(name, () => {
      for (let seed = FIRST; seed < FIRST + KERNELS; seed++) {
        try {
          check(randomKernel(seed), tuning, features, split);
        } catch (error) {
          throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
        }
      }
    });
  }
});

it('the random kernels have what they are for', () => {
  const text = Array.from({ length: 100 }, (_, i) => JSON.stringify(randomKernel(i + 1).kernel)).join();
  for (const part of ['guard', 'choose', 'argmax', 'readwrite', '"kind":"value"', 'mod', '"extent":0']) {
    expect(text).toContain(part);
  }
});
