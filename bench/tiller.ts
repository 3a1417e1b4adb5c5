import * as tl from 'tiller';
import type { Case, OpCase } from './cases/case.js';
import type { Contender } from './contender.js';
import type { BenchEngine } from './options.js';
import { joined, type Side, trainingContender } from './side.js';

/** tiller on an engine, and how to choose that. */
export interface TillerSide extends Side {
  readonly init: tl.InitOptions;
}

/** tiller on an engine; on WebGPU in Node twice: as Dawn starts by default, and with tiller's own flags. */
export async function tillerSides(engine: BenchEngine | 'auto', threads: number | null): Promise<TillerSide[]> {
  const base = { engine, ...(threads === null ? {} : { threads }) };
  const own = await tl.init(base);
  const side = (options: typeof base & { validate?: boolean }, toggles: string): TillerSide => ({
    name: 'tiller',
    init: options,
    engine: own.engine,
    adapter: own.adapter,
    toggles,
    prepare: async (benchmark) => {
      // New tensors go to the engine that was chosen last.
      await tl.init(options);
      return prepare(benchmark);
    },
    close: () => {},
  });
  if (own.engine !== 'webgpu') return [side(base, '')];
  const validating = { ...base, validate: true };
  await tl.init(validating);
  return [side(validating, 'default'), side(base, 'own')];
}

async function prepare(benchmark: Case): Promise<Contender> {
  if (benchmark.kind === 'train') return trainingContender(await benchmark.tiller());
  const contender = opContender(benchmark);
  // The first run binds the inputs to this engine.
  contender.start();
  await contender.finish();
  return contender;
}

function opContender(benchmark: OpCase): Contender {
  const inputs = benchmark.inputs().map(({ data, shape }) => tl.tensor(data, { shape: [...shape] }));
  const once = (...args: tl.Tensor[]) => [benchmark.tiller(...args)].flat();
  const f = benchmark.compiled ? tl.compile(once) : once;
  const run = () => f(...inputs);
  let started: { results: tl.Tensor[]; done: Promise<void> }[] = [];
  return {
    repeatable: true,
    start() {
      const results = run();
      started.push({ results, done: tl.realize(results) });
    },
    async finish() {
      await Promise.all(started.map(({ done }) => done));
      for (const { results } of started) for (const result of results) result.dispose();
      started = [];
    },
    async result() {
      const results = run();
      const values = await Promise.all(results.map((result) => result.data()));
      for (const result of results) result.dispose();
      return joined(values);
    },
    dispose() {
      for (const input of inputs) input.dispose();
    },
  };
}
