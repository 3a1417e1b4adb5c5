import { describe, expect, it } from 'vitest';
import type { ProgramGraph } from '../../src/engine/plan.js';
import { createReferenceEngine, evaluate } from '../../src/engine/reference/index.js';
import {
  binary,
  cast,
  constant,
  dot,
  EngineError,
  full,
  InternalError,
  isPrim,
  leaf,
  type Node,
  OutOfMemoryError,
  reduce,
  reshape,
  scalarNode,
  topologicalOrder,
} from '../../src/graph/index.js';

function graphOf(...outputs: Node[]): ProgramGraph {
  const nodes = topologicalOrder(outputs);
  return {
    nodes,
    inputs: nodes.filter((node) => isPrim(node, 'leaf')),
    scalars: nodes.filter((node) => isPrim(node, 'scalar')),
    outputs,
  };
}

const floats = (words: ArrayBuffer | undefined): number[] => [...new Float32Array(words!)];

describe('reference engine', () => {
  it('says what it is', () => {
    const engine = createReferenceEngine({ why: 'a test' });
    expect(engine.kind).toBe('graph');
    expect(engine.capabilities.software).toBe(true);
    expect(engine.info()).toMatchObject({
      engine: 'reference',
      adapter: 'float64 interpreter',
      software: true,
      why: 'a test',
    });
  });

  it('runs a prepared graph again and again with other inputs and scalars', async () => {
    const engine = createReferenceEngine();
    const x = leaf({ shape: [2], dtype: 'f32' });
    const rate = scalarNode({ dtype: 'f32', value: 0 });
    const program = await engine.prepareGraph(
      graphOf(binary('mul', x, full([2], 2, 'f32')), binary('add', rate, rate)),
    );
    for (const [a, b, s] of [
      [1, 2, 0.5],
      [-3, 4, 7],
    ] as const) {
      const input = engine.upload(Float32Array.of(a, b));
      const outputs = engine.run(program, [input], [s]);
      const [doubled, sum] = await engine.read(outputs);
      expect(floats(doubled)).toEqual([2 * a, 2 * b]);
      expect(floats(sum)).toEqual([2 * s]);
    }
  });

  it('copies what is uploaded and what is read', async () => {
    const engine = createReferenceEngine();
    const data = Float32Array.of(1, 2);
    const buffer = engine.upload(data.subarray(1));
    data[1] = 9;
    const [first] = await engine.read([buffer]);
    expect(floats(first)).toEqual([2]);
    new Float32Array(first!)[0] = 7;
    expect(floats((await engine.read([buffer]))[0])).toEqual([2]);
  });

  it('stores bool as words', async () => {
    const engine = createReferenceEngine();
    const x = leaf({ shape: [3], dtype: 'bool' });
    const program = await engine.prepareGraph(graphOf(cast(x, 'f32'), binary('xor', x, full([3], 1, 'bool'))));
    const outputs = engine.run(program, [engine.upload(Uint32Array.of(1, 0, 1))], []);
    const [numbers, flipped] = await engine.read(outputs);
    expect(floats(numbers)).toEqual([1, 0, 1]);
    expect([...new Uint32Array(flipped!)]).toEqual([0, 1, 0]);
  });

  it('gives each output a handle of its own, also for inputs and repeats', async () => {
    const engine = createReferenceEngine();
    const x = leaf({ shape: [2], dtype: 'f32' });
    const program = await engine.prepareGraph(graphOf(x, reshape(x, [2, 1]), x));
    const input = engine.upload(Float32Array.of(1, 2));
    const outputs = engine.run(program, [input], []);
    expect(new Set([input, ...outputs]).size).toBe(4);
    engine.free(input);
    engine.free(outputs[0]!);
    expect((await engine.read(outputs.slice(1))).map(floats)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('runs zero-size tensors', async () => {
    const engine = createReferenceEngine();
    const x = leaf({ shape: [0, 3], dtype: 'f32' });
    const program = await engine.prepareGraph(
      graphOf(binary('add', x, x), reduce('sum', x, [0]), reduce('max', x, [0])),
    );
    const outputs = engine.run(program, [engine.upload(new Float32Array(0))], []);
    expect((await engine.read(outputs)).map(floats)).toEqual([[], [0, 0, 0], [-Infinity, -Infinity, -Infinity]]);
  });

  it('counts the bytes of buffers', async () => {
    const engine = createReferenceEngine();
    const a = engine.upload(new Float32Array(10));
    const b = engine.upload(new Int32Array(5));
    expect(engine.memory()).toEqual({ live: 60, peak: 60, pooled: 0, buffers: 2 });
    engine.free(a);
    expect(engine.memory()).toEqual({ live: 20, peak: 60, pooled: 0, buffers: 1 });
    engine.free(b);
    expect(engine.memory()).toEqual({ live: 0, peak: 60, pooled: 0, buffers: 0 });
    await engine.idle();
  });

  it('refuses freed and foreign buffers, and counts that do not fit', async () => {
    const engine = createReferenceEngine();
    const other = createReferenceEngine();
    const x = leaf({ shape: [2], dtype: 'f32' });
    const program = await engine.prepareGraph(graphOf(binary('add', x, x)));
    const buffer = engine.upload(new Float32Array(2));
    engine.free(buffer);
    expect(() => engine.free(buffer)).toThrow(InternalError);
    expect(() => engine.run(program, [buffer], [])).toThrow('[reference] run of a freed buffer');
    await expect(engine.read([buffer])).rejects.toThrow(InternalError);
    expect(() => engine.run(program, [{ bytes: 8 }], [])).toThrow("[reference] run of another engine's buffer");
    expect(() => engine.run(program, [], [])).toThrow(InternalError);
    expect(() => engine.run(program, [engine.upload(new Float32Array(3))], [])).toThrow(
      '[reference] input 0 has 12 bytes (expected 8)',
    );
    expect(() => engine.run({ kernels: 0, submits: 0 }, [], [])).toThrow(InternalError);
    expect(() => other.run(program, [other.upload(new Float32Array(2))], [])).not.toThrow();
  });

  it('throws what goes wrong in a run from the run', async () => {
    const engine = createReferenceEngine();
    // Small operands whose product no array can hold.
    const product = dot(full([2 ** 17, 0], 1, 'f32'), full([0, 2 ** 17], 1, 'f32'));
    const tooLarge = await engine.prepareGraph(graphOf(full([4], 1, 'f32'), product));
    expect(() => engine.run(tooLarge, [], [])).toThrow(OutOfMemoryError);
    expect(engine.memory().live).toBe(0);
  });

  it('refuses work once destroyed', async () => {
    const engine = createReferenceEngine();
    engine.destroy();
    expect(() => engine.upload(new Float32Array(1))).toThrow(EngineError);
    await expect(engine.idle()).rejects.toThrow('[reference] the engine was destroyed');
  });
});

describe('evaluate', () => {
  it('takes inputs and scalars by position', () => {
    const a = leaf({ shape: [2], dtype: 'i32' });
    const b = leaf({ shape: [2], dtype: 'i32' });
    const s = scalarNode({ dtype: 'u32', value: 0 });
    const graph: ProgramGraph = {
      nodes: [b, a, s],
      inputs: [a, b],
      scalars: [s],
      outputs: [b, a, s],
    };
    expect(evaluate(graph, [Int32Array.of(1, 2), Int32Array.of(3, 4)], [-1])).toEqual([
      Int32Array.of(3, 4),
      Int32Array.of(1, 2),
      Uint32Array.of(2 ** 32 - 1),
    ]);
  });

  it('refuses values of the wrong size and nodes out of order', () => {
    const a = leaf({ shape: [2], dtype: 'f32' });
    const graph: ProgramGraph = { nodes: [a], inputs: [a], scalars: [], outputs: [a] };
    expect(() => evaluate(graph, [new Float32Array(3)])).toThrow('input 0 has 3 elements (expected 2 for f32[2])');
    const two = constant(2, 'f32');
    const twice = binary('add', two, two);
    expect(() => evaluate({ nodes: [twice, two], inputs: [], scalars: [], outputs: [twice] }, [])).toThrow(
      InternalError,
    );
  });
});
