/** `tiller tune`, without the process around it. */
import * as tl from 'tiller';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_SHAPES, shapeCases } from '../../src/cli/shapes.js';
import { printTuning, type TuneFlags } from '../../src/cli/tune.js';
import { UsageError } from '../../src/cli/usage.js';
import { describeWebGPU } from '../setup/environment.js';

/** The first schedules of the space: measuring all of them takes its time. */
const SOME = 5;
vi.mock('../../kernels/families/contraction.js', async (original) => {
  const real = await original<typeof import('../../kernels/families/contraction.js')>();
  const ranked: typeof real.rankedContractionSpace = (...args) => real.rankedContractionSpace(...args).slice(0, SOME);
  return { ...real, rankedContractionSpace: ranked };
});

const FLAGS: TuneFlags = { json: false, exhaustive: false, seconds: undefined };

afterEach(() => vi.restoreAllMocks());

async function printed(words: readonly string[], flags: Partial<TuneFlags>): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  await printTuning(words, { ...FLAGS, ...flags });
  return log.mock.calls
    .splice(0)
    .map(([line]) => `${line}\n`)
    .join('');
}

describe('shapes of the command line', () => {
  it.each<[string, number[], number[], number[]]>([
    ['matmul 3x4x5', [3, 4], [4, 5], [3, 5]],
    ['matmul 2x3x4x5', [2, 3, 4], [2, 4, 5], [2, 3, 5]],
    ['matmul 3x4x5 transpose=a', [4, 3], [4, 5], [3, 5]],
    ['matmul 2x3x4x5 transpose=b', [2, 3, 4], [2, 5, 4], [2, 3, 5]],
    ['matmul 3x4x5 transpose=ab', [4, 3], [5, 4], [3, 5]],
    ['conv 2x4x9x8 6x3x2', [2, 4, 9, 8], [6, 4, 3, 2], [2, 6, 7, 7]],
    ['conv 2x4x9x9 6x3x3 stride=2 padding=1 groups=2', [2, 4, 9, 9], [6, 2, 3, 3], [2, 6, 5, 5]],
  ])('%s', (words, a, b, result) => {
    const [{ name, compute, inputs }, ...others] = shapeCases([words]) as ReturnType<typeof shapeCases>;
    expect(others).toEqual([]);
    expect(name).toBe(words);
    const operands = inputs();
    expect(operands.map(({ shape }) => shape)).toEqual([a, b]);
    expect(compute(...operands).shape).toEqual(result);
  });

  it('may be many, as words of a shell', () => {
    const words = 'matmul 3x4x5 conv 1x2x8x8 4x3x3 padding=1 matmul 5x5x5'.split(' ');
    expect(shapeCases(words).map(({ name }) => name)).toEqual([
      'matmul 3x4x5',
      'conv 1x2x8x8 4x3x3 padding=1',
      'matmul 5x5x5',
    ]);
    for (const { compute, inputs } of shapeCases(DEFAULT_SHAPES)) expect(compute(...inputs()).shape).not.toEqual([]);
  });

  it.each([
    ['3x4x5'],
    ['matmul'],
    ['matmul 3x4'],
    ['matmul 3x0x5'],
    ['matmul 3x4x5.5'],
    ['matmul 3xax5'],
    ['matmul 3x4x5 transpose'],
    ['matmul 3x4x5 transpose=c'],
    ['matmul 3x4x5 stride=2'],
    ['conv 1x2x8x8'],
    ['conv 1x2x8x8 4x3x3 stride=0'],
    ['conv 1x2x8x8 4x3x3 padding=half'],
    ['pool 1x2x8x8'],
  ])('refuses %s', (words) => {
    expect(() => shapeCases([words])).toThrow(UsageError);
  });

  it.each([{ seconds: '0' }, { seconds: 'long' }, { seconds: '5', exhaustive: true }])('refuses %j', async (flags) => {
    await expect(printTuning(['matmul 3x4x5'], { ...FLAGS, ...flags })).rejects.toThrow(UsageError);
  });
});

it('has nothing to tune where there is one schedule', async () => {
  await tl.init({ engine: 'wasm' });
  expect(await printed(['matmul 3x4x5'], {})).toMatch(/^wasm: .*\nnothing to tune/);
  expect(JSON.parse(await printed(['matmul 3x4x5'], { json: true }))).toMatchObject({ engine: 'wasm', kernels: [] });
});

describeWebGPU('on webgpu', () => {
  const words = ['matmul', '24x16x32', 'conv', '1x4x10x10', '8x3x3'];

  it('prints every schedule of a shape, and what was chosen', async () => {
    await tl.init({ engine: 'webgpu' });
    const text = await printed(words.slice(0, 2), { exhaustive: true });
    const [matmul, rest] = text.split('\n\n') as [string, string];
    const [title, head, ...lines] = matmul.split('\n') as [string, string, ...string[]];
    expect(title).toMatch(/^matmul 24x16x32, dot: contraction/);
    expect(head).toMatch(/^schedule +ms +heuristic ms +gain$/);
    expect(lines).toHaveLength(SOME);
    for (const line of lines) {
      expect(line).toMatch(/^(register|shared) .* +\d+\.\d+ +\d+\.\d+ +\d+\.\d\dx( +heuristic)?(,? +chosen)?$/);
    }
    expect(matmul.match(/heuristic($|,)/gm)).toHaveLength(1);
    expect(matmul.match(/chosen$/gm)).toHaveLength(1);
    expect(rest).toMatch(/^webgpu: .*\n +kernel +heuristic +ms +best +ms +gain +tried\n/);
    expect(rest).toMatch(/^matmul 24x16x32 +dot .* 5 of 5$/m);
    expect(text).toMatch(/geometric mean of the gains: \d+\.\d\dx\n$/);
  });

  it('gives the same as JSON, measured anew', async () => {
    await tl.init({ engine: 'webgpu' });
    const { engine, gain, kernels } = JSON.parse(await printed(words, { json: true, seconds: '0.05' }));
    expect(engine).toBe('webgpu');
    expect(kernels.map((row: { case: string }) => row.case)).toEqual(['matmul 24x16x32', 'conv 1x4x10x10 8x3x3']);
    for (const row of kernels) expect(row).toMatchObject({ recalled: false, count: 1 });
    expect(gain).toBeGreaterThanOrEqual(1);
  });
});
