import { describe, expect, it } from 'vitest';
import { CASES } from '../../bench/cases/index.js';
import { helpText, parseOptions } from '../../bench/options.js';
import { ArgumentError } from '../../src/graph/index.js';

const names = ['matmul512', 'mlpStep'];
const parse = (...args: string[]) => parseOptions(args, names);

describe('the command line of the benchmarks', () => {
  it('reads names and options in any order', () => {
    const args = [
      '--engine',
      'webgpu',
      'mlpStep',
      '--against',
      'jax-js,tfjs,ort',
      'matmul512',
      '--json',
      '--rounds',
      '7',
    ];
    expect(parse(...args)).toEqual({
      help: false,
      names: ['mlpStep', 'matmul512'],
      engine: 'webgpu',
      against: ['jax-js', 'tfjs', 'ort'],
      json: true,
      rounds: 7,
      seconds: 3,
      threads: null,
      peerPolling: 'gentle',
    });
  });

  it('runs everything that is ready, against jax-js and tfjs, when nothing is said', () => {
    expect(parse()).toMatchObject({ names, engine: 'auto', against: ['jax-js', 'tfjs'], json: false });
  });

  it('runs a benchmark once that is named twice, and no peer for an empty list', () => {
    expect(parse('mlpStep', 'mlpStep', '--against', '')).toMatchObject({ names: ['mlpStep'], against: [] });
  });

  it('lists the names for an unknown one', () => {
    expect(() => parse('matmul512', 'mathmul')).toThrow(ArgumentError);
    expect(() => parse('mathmul')).toThrow('[bench] unknown benchmark: mathmul (expected matmul512, mlpStep)');
  });

  it.each([
    [['--engine', 'gpu'], '--engine gpu (expected webgpu, wasm, reference, auto)'],
    [['--against', 'jax-js,numpy'], '--against numpy (expected jax-js, tfjs, ort, torch)'],
    [['--rounds', '0'], '--rounds 0 (expected a positive number)'],
    [['--rounds', '2.5'], '--rounds 2.5 (expected a whole number)'],
    [['--seconds', 'long'], '--seconds long (expected a positive number)'],
    [['--peer-polling', 'never'], '--peer-polling never (expected gentle, busy)'],
    [['--speed'], "Unknown option '--speed'"],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(ArgumentError);
    expect(() => parse(...args)).toThrow(message);
  });

  it('names every benchmark in its help', () => {
    const all = CASES.map(({ name }) => name);
    for (const name of all) expect(helpText(all)).toContain(name);
  });
});

describe('the catalogue', () => {
  it('has the names of the contract, and those of the orchestrator alone, each once', () => {
    const contract = [
      ...['matmul512', 'matmul1024', 'matvec4096', 'elementwise2M', 'softmax2048x1024', 'layerNorm2048x1024'],
      ...['sumRows', 'sumColumns', 'conv3x3', 'depthwise3x3', 'attention', 'attentionBackward', 'cumsum', 'sort'],
      ...['gather', 'scatterAdd', 'mlpStep', 'cnnStep', 'overheadChain', 'coldStart'],
      ...['mlpStepCompiled', 'cacheHit', 'stepOverhead', 'coldStartTransformer'],
    ];
    expect(CASES.map(({ name }) => name).sort()).toEqual(contract.sort());
  });
});
