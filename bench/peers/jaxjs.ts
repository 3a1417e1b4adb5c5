import type { Case, JaxArray, JaxJs, OpCase } from '../cases/case.js';
import type { Contender } from '../contender.js';
import { joined, type Side, trainingContender } from '../side.js';

/** jax-js on WebGPU or on its WebAssembly backend. */
export async function jaxjsSide(engine: 'webgpu' | 'wasm', adapter: string): Promise<Side> {
  const jax: JaxJs = await import('@jax-js/jax');
  const devices = await jax.init(engine);
  if (!devices.includes(engine)) throw new Error(`jax-js has no ${engine} here, only ${devices.join(', ')}`);
  jax.defaultDevice(engine);
  return {
    name: 'jax-js',
    engine,
    adapter,
    toggles: engine === 'webgpu' ? 'default' : '',
    prepare: async (benchmark) => prepare(jax, benchmark),
    close: () => {
      if (engine === 'webgpu') jax.getWebGPUDevice().destroy();
    },
  };
}

async function prepare(jax: JaxJs, benchmark: Case): Promise<Contender> {
  return benchmark.kind === 'train' ? trainingContender(await benchmark.jaxjs(jax)) : opContender(jax, benchmark);
}

function opContender(jax: JaxJs, benchmark: OpCase): Contender {
  const inputs = benchmark.inputs().map(({ data, shape }) =>
    jax.numpy.array(data, {
      shape: [...shape],
      dtype: data instanceof Float32Array ? jax.numpy.float32 : jax.numpy.int32,
    }),
  );
  const compiled = jax.jit((...args: JaxArray[]): JaxArray[] => [benchmark.jaxjs(jax, ...args)].flat());
  const run = () => compiled(...inputs.map((input) => input.ref));
  let started: { results: JaxArray[]; done: Promise<unknown> }[] = [];
  return {
    repeatable: true,
    start() {
      const results = run();
      started.push({ results, done: Promise.all(results.map((result) => result.blockUntilReady())) });
    },
    async finish() {
      await Promise.all(started.map(({ done }) => done));
      for (const { results } of started) for (const result of results) result.dispose();
      started = [];
    },
    // Reading takes the array.
    result: async () => joined(await Promise.all(run().map((result) => result.data()))),
    dispose() {
      for (const input of inputs) input.dispose();
      compiled.dispose();
    },
  };
}
