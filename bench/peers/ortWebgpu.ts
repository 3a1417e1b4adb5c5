import type { OpCase } from '../cases/case.js';
import type { Contender } from '../contender.js';
import type { Side } from '../side.js';
import type { Ort } from './nativePackages.js';
import { OnnxGraph } from './onnx.js';
import { whyNot } from './ort.js';
import { requirePeer } from './require.js';

/** onnxruntime-node's WebGPU provider, with the Dawn that it brings. */
export function ortWebgpuSide(adapter: string): Side {
  const ort = requirePeer<Ort>('onnxruntime-node');
  return {
    name: 'ort',
    engine: 'webgpu',
    adapter,
    toggles: 'its own',
    cannot: whyNot,
    prepare: async (benchmark) => prepare(ort, benchmark as OpCase),
    close: () => {},
  };
}

/** The first element of a value. */
function firstOf(graph: OnnxGraph, value: string): string {
  const flat = graph.node('Reshape', [value, graph.integers([-1])]);
  return graph.node('Slice', [flat, graph.integers([0]), graph.integers([1])]);
}

/**
 * Its inputs are constants, which stay on the device (and are not folded, without optimizations); what is timed gives one element back, since
 * the package has no other way to wait.
 */
async function prepare(ort: Ort, { inputs, ort: build }: OpCase): Promise<Contender> {
  const session = async (whole: boolean) => {
    const graph = new OnnxGraph();
    const names = inputs().map(({ data, shape }) => graph.tensor(data, shape));
    const all = build!(graph, ...names);
    const result = whole ? all : firstOf(graph, all);
    const options = { executionProviders: ['webgpu'], graphOptimizationLevel: 'disabled', logSeverityLevel: 3 };
    const made = await ort.InferenceSession.create(graph.encode(result), options);
    return { result, run: () => made.run({}), release: () => made.release() };
  };
  const timed = await session(false);
  return {
    // Each run is waited for.
    repeatable: false,
    async start() {
      await timed.run();
    },
    finish: async () => {},
    async result() {
      const whole = await session(true);
      const { data } = (await whole.run())[whole.result]!;
      await whole.release();
      return data;
    },
    dispose() {
      void timed.release();
    },
  };
}
