import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkHalves } from '../../../kernels/checks/halves.js';
import { buildPlan } from '../../../src/compile/plan/build.js';
import type { KernelEngine } from '../../../src/engine/engine.js';
import { createWebGPUEngine } from '../../../src/engine/webgpu/index.js';
import { halfBits, halfValue } from '../../../src/graph/half.js';
import { cast, type LeafSource, leaf, unary } from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { openNullDevice } from './nullDevice.js';

it('a GPU would compile the checks of both ways', async () => {
  const device = await openNullDevice();
  for (const way of ['builtins', 'f16'] as const) {
    const { code } = checkHalves(way);
    expect(code.includes('enable f16;')).toBe(way === 'f16');
    expect(await device.compile({ code, entryPoint: 'main' })).toBe('');
  }
  device.destroy();
});

describeWebGPU('trying out the conversions of an adapter', () => {
  let dawn: DawnDevice;
  let engine: KernelEngine;
  beforeAll(async () => {
    dawn = await openDawn();
    engine = await createWebGPUEngine({ tryOut: true });
  });
  afterAll(() => {
    dawn.destroy();
    engine.destroy();
  });

  const check = checkHalves('builtins');
  const verdict = async (change: (code: string) => string) => {
    const code = change(check.code);
    const [words] = await dawn.run({
      code,
      workgroups: check.workgroups,
      buffers: [{ binding: 0, words: check.buffers[0]! }],
    });
    return { changed: code !== check.code, ...check.verdict(words!) };
  };
  /** Has an own function return something else. */
  const returning = (name: string, result: string) => (code: string) =>
    code.replace(new RegExp(`(fn tl_own_${name}\\(.*return ).*;`), `$1${result};`);

  it('finds each direction right or wrong as the adapter is, judged by the host', async () => {
    const { halves } = await verdict((code) => code);
    const floats = Float32Array.from([65519, 65520, 1e30, Infinity, -Infinity, NaN, 2 ** -24, 3 * 2 ** -25, 2051]);
    const bits = Uint32Array.from({ length: 65536 }, (_, i) => i);
    const one = (type: string, value: string) => `@group(0) @binding(0) var<storage, read_write> b: array<${type}>;
      @compute @workgroup_size(1) fn main(@builtin(workgroup_id) id: vec3<u32>) { let at = id.x + id.y * 256u; b[at] = ${value}; }`;
    const run = async (code: string, words: Uint32Array, x: number, y: number): Promise<Uint32Array> =>
      (await dawn.run({ code, workgroups: [x, y, 1], buffers: [{ binding: 0, words }] }))[0]!;
    const values = await run(one('u32', 'bitcast<u32>(unpack2x16float(b[at]).x)'), bits, 256, 256);
    const differs = [...new Float32Array(values.buffer)].filter((value, i) => !Object.is(value, halfValue(i)));
    expect(halves.toF32 !== null).toBe(differs.length === 0);
    const words = new Uint32Array(floats.slice().buffer);
    const packed = await run(one('u32', 'pack2x16float(vec2(bitcast<f32>(b[at]), 0f))'), words, floats.length, 1);
    const right = [...packed].every((half, i) => half === halfBits(floats[i]!));
    // The check tries more numbers than these.
    if (!right) expect(halves.toF16).toBe(null);
  });

  it.each([
    ['values that flush subnormals', 'half_value', 'select(0f, unpack2x16float(a0).x, (a0 & 0x7c00u) != 0u)', 'toF32'],
    ['four values of which one is wrong', 'half_value_v4', 'vec4<f32>(vec4<u32>(0u))', 'toF32'],
    ['rounding toward zero', 'half_bits', 'tl_half_bits(bitcast<f32>(bitcast<u32>(a0) & 0xffffe000u))', 'toF16'],
    ['four roundings toward zero', 'half_bits_v4', 'tl_half_bits_v4(a0 * 0.9999)', 'toF16'],
    ['no infinity', 'half_bits', 'tl_half_bits(clamp(a0, -65504f, 65504f))', 'toF16'],
    ['a round trip that is left out', 'half_round', 'a0', 'toF16'],
  ] as const)('notices %s', async (_, name, result, direction) => {
    // Where the adapter itself is wrong, the fault would not be this one's.
    const rightElsewhere = (code: string) =>
      ['half_bits', 'half_bits_v4', 'half_round', 'half_round_v4'].reduce(
        (text, fn) => returning(fn, `tl_${fn}(a0)`)(text),
        code,
      );
    const helpers = (code: string) =>
      code.includes('fn tl_half_round(')
        ? code
        : code.replace(
            'fn differences',
            'fn tl_half_round(a0: f32) -> f32 { return tl_half_value(tl_half_bits(a0)); }\nfn differences',
          );
    const sound = await verdict((code) => helpers(rightElsewhere(code)));
    expect(sound.halves).toEqual({ toF32: 'builtins', toF16: 'builtins' });
    const broken = await verdict((code) => returning(name, result)(helpers(rightElsewhere(code))));
    expect(broken.halves[direction]).toBe(null);
    expect(broken.fault).toMatch(/wrong$/);
  });

  it('tells what was tried, uses what was right, and computes the same', async () => {
    const { halves } = await verdict((code) => code);
    expect(engine.capabilities.halves).toEqual(halves);
    const told = engine.info().checks!;
    expect(told[0]).toMatch(/^f16 conversions by pack2x16float and unpack/);
    expect(told).toContain('subgroups of 4: right');
    expect(engine.capabilities.fixedSubgroups).toEqual({ size: 4, pinned: false });
    const source: LeafSource = { shape: [65536], dtype: 'f16' };
    const x = leaf(source);
    const roots = [cast(x, 'f32'), unary('neg', cast(x, 'f32'))];
    const plan = buildPlan({ roots, inputs: [source], donated: [false], scalars: [] }, engine.capabilities);
    const program = await engine.prepare(plan);
    const code = program.plan!.kernels.map((planned) => engine.codeOf!(planned).text).join('\n');
    expect(code.includes('unpack2x16float')).toBe(halves.toF32 !== null);
    const all = Uint32Array.from({ length: 32768 }, (_, i) => (2 * i) | ((2 * i + 1) << 16));
    const outputs = engine.run(program, [engine.upload(all)], []);
    const [values, negated] = (await engine.read(outputs)).map((bytes) => new Float32Array(bytes));
    expect(values!.findIndex((value, i) => !Object.is(value, halfValue(i)))).toBe(-1);
    expect(negated!.findIndex((value, i) => !Object.is(value, -halfValue(i)))).toBe(-1);
  });

  it('leaves a software adapter alone unless it is asked to', async () => {
    const plain = await createWebGPUEngine();
    if (plain.info().software) {
      expect(plain.info().checks).toEqual([]);
      expect(plain.capabilities.halves).toBeUndefined();
    }
    plain.destroy();
  });
});
