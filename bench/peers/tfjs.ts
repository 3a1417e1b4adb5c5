import type { Case, OpCase, Tfjs, TfTensor } from '../cases/case.js';
import type { Contender } from '../contender.js';
import { type Side, trainingContender } from '../side.js';
import { requirePeer } from './dawn.js';

/** What is used of its WebGPU backend: there is no call that waits for the device without reading. */
interface WebGPUBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly commandEncoder: unknown;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** TensorFlow.js on WebGPU or on its WebAssembly backend (XNNPACK, one thread in Node). */
export async function tfjsSide(engine: 'webgpu' | 'wasm', adapter: string): Promise<Side> {
  const tf: Tfjs = requirePeer('@tensorflow/tfjs');
  requirePeer(`@tensorflow/tfjs-backend-${engine}`);
  tf.enableProdMode();
  if (!(await tf.setBackend(engine))) throw new Error(`tfjs has no ${engine} here`);
  await tf.ready();
  const gpu = engine === 'webgpu' ? (tf.backend() as WebGPUBackend) : null;
  return {
    name: 'tfjs',
    engine,
    adapter,
    toggles: engine === 'webgpu' ? 'default' : '',
    prepare: async (benchmark) => prepare(tf, gpu, benchmark),
    close: () => gpu?.device.destroy(),
  };
}

async function prepare(tf: Tfjs, gpu: WebGPUBackend | null, benchmark: Case): Promise<Contender> {
  return benchmark.kind === 'train' ? trainingContender(await benchmark.tfjs(tf)) : opContender(tf, gpu, benchmark);
}

function opContender(tf: Tfjs, gpu: WebGPUBackend | null, benchmark: OpCase): Contender {
  const layout = benchmark.tfjsLayout;
  const arrays = benchmark.inputs();
  const inputs = (layout?.inputs(arrays) ?? arrays).map(({ data, shape }) => tf.tensor(data, [...shape]));
  const run = () => tf.tidy(() => benchmark.tfjs(tf, ...inputs));
  let started: TfTensor[] = [];
  return {
    repeatable: true,
    start() {
      started.push(run());
    },
    async finish() {
      if (gpu !== null) {
        gpu.endComputePassEncoder();
        if (gpu.commandEncoder !== null) gpu.submitQueue();
        await gpu.queue.onSubmittedWorkDone();
      }
      tf.dispose(started);
      started = [];
    },
    async result() {
      const result = run();
      const values = Float32Array.from(await result.data());
      result.dispose();
      return layout?.result(values) ?? values;
    },
    dispose() {
      tf.dispose(inputs);
    },
  };
}
