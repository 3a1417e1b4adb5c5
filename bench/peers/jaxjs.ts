import type { Case, JaxArray, JaxJs, OpCase } from '../cases/case.js';
import type { Contender } from '../contender.js';
import { type Side, trainingContender } from '../side.js';

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
  const inputs = benchmark.inputs().map(({ data, shape }) => jax.numpy.array(data, { shape: [...shape] }));
  const compiled = jax.jit((...args: JaxArray[]) => benchmark.jaxjs(jax, ...args));
  const run = () => compiled(...inputs.map((input) => input.ref));
  let started: { result: JaxArray; done: Promise<unknown> }[] = [];
  return {
    repeatable: true,
    start() {
      const result = run();
      started.push({ result, done: result.blockUntilReady() });
    },
    async finish() {
      await Promise.all(started.map(({ done }) => done));
      for (const { result } of started) result.dispose();
      started = [];
    },
    // Reading takes the array.
    result: () => run().data(),
    dispose() {
      for (const input of inputs) input.dispose();
      compiled.dispose();
    },
  };
}
