import type { Case, OpCase } from '../cases/case.js';
import type { Contender } from '../contender.js';
import type { Side } from '../side.js';
import { settle } from './native.js';
import type { Ort, OrtSession, OrtTensor } from './nativePackages.js';
import { OnnxGraph } from './onnx.js';
import { requirePeer } from './require.js';

/** Why it cannot run a benchmark. */
export function whyNot(benchmark: Case): string | null {
  if (benchmark.kind === 'train') return 'onnxruntime no longer trains';
  return benchmark.ort === undefined ? 'ONNX has no gradients' : null;
}

/** onnxruntime-node: native code on the CPU. */
export function ortSide(threads: number): Side {
  const ort = requirePeer<Ort>('onnxruntime-node');
  return {
    name: 'ort',
    engine: 'cpu',
    adapter: `onnxruntime ${requirePeer<{ version: string }>('onnxruntime-node/package.json').version} on ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    toggles: '',
    native: true,
    cannot: whyNot,
    prepare: async (benchmark) => prepare(ort, threads, benchmark),
    close: () => {},
  };
}

async function prepare(ort: Ort, threads: number, benchmark: Case): Promise<Contender> {
  const { inputs, ort: build } = benchmark as OpCase;
  const graph = new OnnxGraph();
  const feeds: Record<string, OrtTensor> = {};
  const names = inputs().map(({ data, shape }) => {
    const isFloat = data instanceof Float32Array;
    const name = graph.input(isFloat ? 'f32' : 'i32', shape);
    feeds[name] = new ort.Tensor(isFloat ? 'float32' : 'int32', data, shape);
    return name;
  });
  const result = build!(graph, ...names);
  const session: OrtSession = await ort.InferenceSession.create(graph.encode(result), {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // Its idle threads would spin on through the turns of the others, which then take up to half as long again.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const run = () => session.run(feeds);
  return {
    repeatable: true,
    // It computes on threads of its own, and would compute several runs at once.
    async start() {
      await run();
    },
    finish: async () => {},
    settle,
    async result() {
      return (await run())[result]!.data;
    },
    dispose() {
      void session.release();
    },
  };
}
