import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkSubgroups } from '../../../kernels/checks/subgroups.js';
import { buildPlan } from '../../../src/compile/plan/build.js';
import type { KernelEngine } from '../../../src/engine/engine.js';
import { evaluateNodes } from '../../../src/engine/reference/index.js';
import { createWebGPUEngine } from '../../../src/engine/webgpu/index.js';
import { renderKernel } from '../../../src/engine/webgpu/rendering.js';
import {
  binary,
  broadcastTo,
  type DType,
  type LeafSource,
  leaf,
  type Node,
  REDUCE_FNS,
  reduce,
  type TypedArray,
  unary,
} from '../../../src/graph/index.js';
import { describeWebGPU } from '../../setup/environment.js';
import { type DawnDevice, openDawn } from '../dawn.js';
import { openNullDevice } from './nullDevice.js';

it('a GPU would compile the check', async () => {
  const device = await openNullDevice();
  for (const pinned of [false, true]) {
    expect(await device.compile({ code: checkSubgroups({ size: 32, pinned }).code, entryPoint: 'main' })).toBe('');
  }
  device.destroy();
});

describeWebGPU('trying out the subgroups of SwiftShader', () => {
  let dawn: DawnDevice;
  beforeAll(async () => {
    dawn = await openDawn();
  });
  afterAll(() => dawn.destroy());

  const faultOf = async (size: number, change: (code: string) => string = (code) => code) => {
    const check = checkSubgroups({ size, pinned: false });
    const code = change(check.code);
    const buffers = [{ binding: 0, words: check.buffers[0]! }];
    const [words] = await dawn.run({ code, workgroups: check.workgroups, buffers });
    return { changed: code !== check.code, fault: check.verdict(words!).fault };
  };

  it('finds them to be of four', async () => {
    expect((await faultOf(4)).fault).toBe(null);
  });

  it('notices another size, another order, and a value that goes astray', async () => {
    const wrong = { changed: true, fault: expect.stringMatching(/^\d+ values are not where/) };
    expect(await faultOf(8)).toEqual({ ...wrong, changed: false });
    expect(await faultOf(2)).toEqual({ ...wrong, changed: false });
    expect(await faultOf(4, (code) => code.replace('u32(place != lane', 'u32(3u - place != lane'))).toEqual(wrong);
    expect(await faultOf(4, (code) => code.replace('subgroupShuffleXor(fraction, 2u)', 'fraction'))).toEqual(wrong);
  });
});

describeWebGPU('rows on an adapter that is taken for a GPU with subgroups of four', () => {
  let engine: KernelEngine;
  beforeAll(async () => {
    engine = await createWebGPUEngine({
      tryOut: true,
      render: (kernel, capabilities) => renderKernel(kernel, { ...capabilities, software: false }),
    });
  });
  afterAll(() => engine.destroy());

  const [rows, columns] = [33, 700];
  const x: LeafSource = { shape: [rows, columns], dtype: 'f32' };

  async function run(source: LeafSource, data: TypedArray, build: (x: Node) => Node[]) {
    const node = leaf(source);
    const roots = build(node);
    const plan = buildPlan({ roots, inputs: [source], donated: [false], scalars: [] }, engine.capabilities);
    const program = await engine.prepare(plan);
    const code = program.plan!.kernels.map((planned) => engine.codeOf!(planned).text).join('\n');
    expect(code).toContain('subgroupShuffleXor');
    const words = () => new Uint32Array(data.buffer, data.byteOffset, data.length);
    const [once, again] = [
      engine.run(program, [engine.upload(words())], []),
      engine.run(program, [engine.upload(words())], []),
    ];
    const got = await engine.read(once);
    // The same bits every time.
    expect((await engine.read(again)).map((bytes) => new Uint32Array(bytes))).toEqual(
      got.map((bytes) => new Uint32Array(bytes)),
    );
    const want = evaluateNodes(roots, new Map([[node, data]]));
    return { got, want };
  }

  /** Small whole numbers with ties: sums are exact in any order, products are of ones and twos. */
  const whole = (fn: string, dtype: DType): number[] =>
    Array.from({ length: rows * columns }, (_, i) =>
      fn === 'prod' ? (i % 97 === 0 ? 2 : 1) : ((i * 7919) % 13) - (dtype === 'u32' ? 0 : 6),
    );

  it.each(REDUCE_FNS.flatMap((fn) => (['f32', 'i32', 'u32'] as const).map((dtype) => [fn, dtype] as const)))(
    'reduces by %s over %s exactly',
    async (fn, dtype) => {
      const values = whole(fn, dtype);
      const data =
        dtype === 'f32'
          ? Float32Array.from(values)
          : dtype === 'i32'
            ? Int32Array.from(values)
            : Uint32Array.from(values);
      if (fn !== 'prod' && fn !== 'sum' && dtype === 'f32') {
        // Rows with NaN at several places, with infinities, with nothing but -0 and 0.
        for (const [row, at] of [
          [1, 5],
          [1, 690],
          [2, 699],
          [3, 0],
        ] as const)
          data[row * columns + at] = Number.NaN;
        data[4 * columns + 9] = Number.POSITIVE_INFINITY;
        data[5 * columns + 10] = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < columns; i++) data[6 * columns + i] = i % 3 === 0 ? -0 : 0;
      }
      const { got, want } = await run({ ...x, dtype }, data, (node) => [reduce(fn, node, [1])]);
      const out = want[0]!;
      const typed = new (out.constructor as Float32ArrayConstructor)(got[0]!);
      expect(
        [...typed].findIndex((value, i) => value !== out[i] && !(Number.isNaN(value) && Number.isNaN(out[i]))),
      ).toBe(-1);
    },
  );

  it('normalises rows: several reductions, one after the other', async () => {
    const spread = (row: Node): Node => broadcastTo(row, [rows, columns]);
    const build = (node: Node): Node[] => {
      const e = unary('exp', binary('sub', node, spread(reduce('max', node, [1]))));
      const soft = binary('div', e, spread(reduce('sum', e, [1])));
      const centred = binary('sub', node, spread(reduce('min', soft, [1])));
      return [soft, binary('div', centred, spread(reduce('sum', binary('mul', centred, centred), [1])))];
    };
    const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 1.7) * 3);
    const { got, want } = await run(x, data, build);
    got.forEach((bytes, n) => {
      const worst = Math.max(...[...new Float32Array(bytes)].map((value, i) => Math.abs(value / want[n]![i]! - 1)));
      expect(worst).toBeLessThan(1e-5);
    });
  });
});
