import type { Case, HostArray, OpCase, Tfjs, TfTensor } from '../cases/case.js';
import type { Contender } from '../contender.js';
import { joined, type Side, trainingContender } from '../side.js';
import { requirePeer } from './require.js';

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
  const tf = requirePeer<Tfjs>('@tensorflow/tfjs');
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
  const inputs = (layout?.inputs(arrays as HostArray[]) ?? arrays).map(({ data, shape }) =>
    tf.tensor(data, [...shape], data instanceof Float32Array ? 'float32' : 'int32'),
  );
  const run = () => tf.tidy(() => [benchmark.tfjs(tf, ...inputs)].flat());
  let started: TfTensor[] = [];
  return {
    repeatable: true,
    start() {
      started.push(...run());
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
      const results = run();
      const values = joined(await Promise.all(results.map((result) => result.data())));
      tf.dispose(results);
      return layout?.result(Float32Array.from(values)) ?? values;
    },
    dispose() {
      tf.dispose(inputs);
    },
  };
}
