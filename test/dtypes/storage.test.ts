import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as fft from '../../src/fft/index.js';
import { halfBits, halfValue, roundToDType } from '../../src/graph/index.js';
import * as tl from '../../src/index.js';
import * as linalg from '../../src/linalg/index.js';
import * as optim from '../../src/optim/index.js';
import { webgpuAvailable } from '../setup/environment.js';

const golden = JSON.parse(readFileSync(new URL('./halves.json', import.meta.url), 'utf8')) as {
  readonly values: string;
  readonly floats: string;
  readonly rounded: string;
  readonly promoted: Readonly<Record<string, string>>;
  readonly castable: Readonly<Record<string, boolean>>;
};
const bytesOf = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
/** What numpy's float16 gives for the bits without a sign, and the bits of the float16 nearest to each of many floats. */
const unsigned = new Float32Array(bytesOf(golden.values));
const floats = new Float32Array(bytesOf(golden.floats));
const rounded = new Uint16Array(bytesOf(golden.rounded));

const ALL = Float32Array.from({ length: 65536 }, (_, bits) =>
  bits & 0x8000 ? -unsigned[bits & 0x7fff]! : unsigned[bits]!,
);
const NEAREST = Float32Array.from(rounded, (bits) => ALL[bits]!);

/** Equal, signs of zeros included, but for the bits of NaN. */
function expectSame(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i])) expect([i, actual[i]]).toEqual([i, expected[i]]);
  }
}

describe('halves in JavaScript', () => {
  it('have the values that numpy gives all bits', () => {
    expectSame(
      Float32Array.from(ALL, (_, bits) => halfValue(bits)),
      ALL,
    );
  });

  it('come back from their values as the same bits', () => {
    for (let bits = 0; bits < 65536; bits++) {
      if (!Number.isNaN(ALL[bits])) expect(halfBits(ALL[bits]!)).toBe(bits);
    }
  });

  it('are rounded as by numpy', () => {
    expectSame(
      Float32Array.from(floats, (x) => halfValue(halfBits(x))),
      NEAREST,
    );
  });
});

describe('promotion', () => {
  it.each(Object.entries(golden.promoted))('of %s is %s as in PyTorch', (pair, expected) => {
    const [a, b] = pair.split(' ') as [tl.DType, tl.DType];
    // tiller has no i16: the next that holds both.
    expect(tl.promoteTypes(a, b)).toBe(expected === 'i16' ? 'i32' : expected);
    expect(tl.resultType(tl.ones([2], { dtype: a }), tl.ones([1], { dtype: b }))).toBe(tl.promoteTypes(a, b));
  });

  it('of u32 keeps it beside u8, and gives i32 beside signed integers', () => {
    const all = ['f32', 'f16', 'i32', 'u32', 'i8', 'u8', 'bool'] as const;
    expect(all.map((dtype) => tl.promoteTypes('u32', dtype))).toEqual([
      'f32',
      'f16',
      'i32',
      'u32',
      'i32',
      'u32',
      'u32',
    ]);
  });

  it('is what docs/dtypes.md prints', () => {
    const order = ['bool', 'u8', 'i8', 'u32', 'i32', 'f16', 'f32'] as const;
    const rows = order.map((a) => `| **${a}** | ${order.map((b) => tl.promoteTypes(a, b)).join(' | ')} |`);
    const docs = readFileSync(new URL('../../docs/dtypes.md', import.meta.url), 'utf8');
    const [, printed] = /<!-- promotion -->\n(.*)\n<!-- \/promotion -->/s.exec(docs)!;
    expect(printed!.split('\n').slice(2)).toEqual(rows);
    expect(printed!.split('\n')[0]).toBe(`| | ${order.join(' | ')} |`);
  });

  it.each(Object.entries(golden.castable))('whether %s is cast unasked is %s as in PyTorch', (pair, expected) => {
    const [a, b] = pair.split(' ') as [tl.DType, tl.DType];
    expect(tl.canCast(a, b)).toBe(expected);
  });

  it('takes numbers as weak', () => {
    const of = (dtype: tl.DType) => tl.ones([2], { dtype });
    expect(of('f16').mul(0.5).dtype).toBe('f16');
    expect(of('f16').exp().dtype).toBe('f16');
    expect(of('i8').add(1).dtype).toBe('i8');
    expect(of('u8').mul(0.5).dtype).toBe('f32');
    expect(of('u8').div(2).dtype).toBe('f32');
    expect(of('i8').sum().dtype).toBe('i32');
    expect(of('u8').cumsum(0).dtype).toBe('i32');
    expect(of('f16').sum().dtype).toBe('f16');
  });
});

const engines = ['reference', 'wasm', 'wasm threads', ...(webgpuAvailable ? ['webgpu'] : [])];

describe.each(engines)('packed storage on %s', (engine) => {
  beforeAll(async () => {
    const threads = { threads: 3, splitFrom: 0 };
    if (engine === 'wasm threads') await tl.init({ engine: 'wasm', ...threads });
    else await tl.init({ engine: engine as tl.EngineName });
  });

  it('holds all halves', async () => {
    const x = tl.tensor(ALL, { dtype: 'f16' });
    expectSame(await x.float().mul(1).data(), ALL);
    // Stored on the device, and read as bits.
    expectSame(
      await x.neg().data(),
      ALL.map((v) => -v),
    );
  });

  it('rounds to the nearest half, halves to even, to infinity and to subnormal ones', async () => {
    const x = tl.tensor(floats);
    // Subnormal f32 numbers may be zeros; both are zeros in f16.
    expectSame(await x.half().data(), NEAREST);
    expectSame(await x.half().float().mul(1).data(), NEAREST);
  });

  it('wraps to i8 and u8', async () => {
    const list = Array.from({ length: 1000 }, (_, i) => i - 500);
    const x = tl.tensor(list, { dtype: 'i32' });
    expectSame(await x.char().data(), Int8Array.from(list));
    expectSame(await x.byte().data(), Uint8Array.from(list));
    expectSame(
      await x.char().int().mul(3).data(),
      Int32Array.from(Int8Array.from(list), (v) => v * 3),
    );
    expectSame(
      await x.byte().mul(3).data(),
      Uint8Array.from(list, (v) => (v & 255) * 3),
    );
    expectSame(await tl.tensor([-129.9, 300.5, NaN, 1e20]).char().data(), Int8Array.of(127, 44, 0, -1));
    expectSame(await tl.tensor(Int8Array.of(-128)).abs().data(), Int8Array.of(-128));
  });

  describe.each(['f16', 'i8', 'u8'] as const)('%s', (dtype) => {
    const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 65, 1031];
    const listOf = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 37) % 101);

    it('takes part in operations of any size', async () => {
      for (const n of sizes) {
        const x = tl.tensor(listOf(n), { dtype });
        expect([...(await x.data())]).toEqual(listOf(n));
        expect([...(await x.add(x).floorDivide(2).data())]).toEqual(
          listOf(n).map((v) => (dtype === 'i8' && v > 63 ? v - 128 : v)),
        );
        expect([...(await x.flip(0).data())]).toEqual(listOf(n).reverse());
        expect(await x.sum().item()).toBe(
          roundToDType(
            listOf(n).reduce((a, b) => a + b, 0),
            dtype === 'f16' ? 'f16' : 'i32',
          ),
        );
        expect([...(await x.cast('i32').mul(100).data())]).toEqual(listOf(n).map((v) => v * 100));
      }
    });

    it('is moved by views of views', async () => {
      const list = listOf(105);
      const plain = tl.tensor(list, { shape: [3, 5, 7] });
      const x = tl.tensor(list, { shape: [3, 5, 7], dtype });
      const moves: ((t: tl.Tensor) => tl.Tensor)[] = [
        (t) => t.permute(2, 0, 1),
        (t) => t.permute(2, 0, 1).slice(1, 1).flip(2).reshape(-1),
        (t) => t.slice(2, 1, 7, 2).transpose(0, 2).pad([1, 2, 0, 1]),
        (t) => t.select(1, 3).expand(2, 3, 7).roll(3, 2),
        (t) => tl.concat([t, t.flip(1), t], 2),
        (t) => tl.stack([t.select(0, 0), t.select(0, 2)], 2),
        (t) => t.reshape(15, 7).gather(1, tl.tensor([[6, 0, 3]], { dtype: 'i32' }).expand(15, 3)),
        (t) => t.at([2, 0, 1], tl.tensor([4, 0, 0], { dtype: 'i32' })),
        (t) => t.scatterAdd(2, tl.zeros([3, 5, 2], { dtype: 'i32' }), tl.cast(tl.ones([3, 5, 2]), t.dtype)),
        (t) => t.sort(1).values,
        (t) => t.reshape(-1).topk(9).values,
        (t) => t.cummax(2),
        (t) => t.tril(),
        (t) => tl.where(t.gt(50), t, 0),
        (t) => t.maskedFill(t.lt(20), 7),
        (t) => t.unfold(2, 3, 2),
        (t) => t.amax(1),
        (t) => t.sub(t.amin(2, { keepDim: true })),
        (t) => t.slice(2, 0, 4).sub(t.slice(2, 0, 4).amin(2, { keepDim: true })),
        (t) =>
          t
            .slice(2, 0, 4)
            .reshape(15, 4)
            .sub(t.slice(2, 3).reshape(15, 4).amin(1, { keepDim: true }))
            .add(1),
        (t) => t.mul(1).slice(2, 1).repeatInterleave(3, 1),
      ];
      for (const [i, move] of moves.entries()) {
        const actual = move(x);
        const expected = Array.from(await move(plain).data(), (v) => roundToDType(v, dtype));
        expect(actual.dtype, `move ${i}`).toBe(dtype);
        expect([...(await actual.data())], `move ${i}`).toEqual(expected);
        // And once more from what was stored.
        const again = actual.reshape(-1).flip(0);
        expect([...(await again.data())], `move ${i}`).toEqual(expected.reverse());
      }
    });

    it('is multiplied in its wide dtype', async () => {
      const numbers = (n: number) => Array.from({ length: n }, (_, i) => (i * 7) % 3);
      for (const [m, k, n] of [
        [1, 1, 1],
        [3, 5, 7],
        [17, 65, 33],
        [64, 64, 64],
      ] as const) {
        const [a, b] = [numbers(m * k), numbers(k * n)];
        const product = tl.matmul(tl.tensor(a, { shape: [m, k] }), tl.tensor(b, { shape: [k, n] }));
        const packed = tl.matmul(tl.tensor(a, { shape: [m, k], dtype }), tl.tensor(b, { shape: [k, n], dtype }));
        expect(packed.dtype).toBe(dtype);
        const wrapped = tl.cast(tl.cast(product, 'i32'), dtype);
        expect([...(await packed.data())]).toEqual([...(await wrapped.data())]);
      }
    });
  });

  it('keeps several outputs of different widths apart', async () => {
    const x = tl.tensor(Float32Array.from({ length: 67 }, (_, i) => i - 30));
    const y = x.mul(2);
    const all = [y, y.half(), y.char(), y.byte(), y.int(), y.half().add(1)];
    await tl.realize(...all);
    const list = Array.from({ length: 67 }, (_, i) => 2 * (i - 30));
    expect([...(await all[0]!.data())]).toEqual(list);
    expect([...(await all[1]!.data())]).toEqual(list);
    expect([...(await all[2]!.data())]).toEqual(list);
    expect([...(await all[3]!.data())]).toEqual(list.map((v) => v & 255));
    expect([...(await all[4]!.data())]).toEqual(list);
    expect([...(await all[5]!.data())]).toEqual(list.map((v) => v + 1));
  });

  it('computes in f32 between the operations of one graph, and rounds what is asked to be f16', async () => {
    const x = tl.tensor([300, 300, 300, 300], { dtype: 'f16' });
    // The sum of squares is beyond f16.
    expect(await x.square().mean().sqrt().item()).toBe(300);
    expect([...(await x.square().data())]).toEqual([Infinity, Infinity, Infinity, Infinity]);
    expect([...(await tl.tensor([2049]).half().float().data())]).toEqual([2048]);
    expect([...(await tl.tensor([2049]).half().to('f32').add(0.5).data())]).toEqual([2048.5]);
  });

  it('has gradients of the dtype of each tensor', async () => {
    const w = tl.tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { dtype: 'f16', requiresGrad: true },
    );
    const x = tl.tensor([[1, -1, 2]], { requiresGrad: true });
    const y = x.matmul(w).relu().half();
    y.sum().backward();
    expect(w.grad!.dtype).toBe('f16');
    expect(x.grad!.dtype).toBe('f32');
    expect([...(await w.grad!.data())]).toEqual([1, 1, -1, -1, 2, 2]);
    expect([...(await x.grad!.data())]).toEqual([3, 7, 11]);
    const [value, grad] = tl.valueAndGrad((a: tl.Tensor) => a.softmax(-1).mul(a).sum())(w.detach());
    expect([value.dtype, grad.dtype]).toEqual(['f16', 'f16']);
  });

  it('runs compiled, with scalars and constants that change', async () => {
    const step = tl.compile((x: tl.Tensor) => x.mul(tl.scalar(0.5, { dtype: 'f16' })).add(1));
    for (let i = 0; i < 3; i++) {
      expect([...(await step(tl.tensor([2, 4, 6 + i], { dtype: 'f16' })).data())]).toEqual([2, 3, 4 + i / 2]);
    }
    const x = tl.tensor(Int8Array.of(1, 2, 3));
    for (let i = 0; i < 8; i++) expect([...(await x.add(i).data())]).toEqual([1 + i, 2 + i, 3 + i]);
    const h = tl.tensor([1, 2, 3], { dtype: 'f16' });
    for (let i = 0; i < 8; i++) expect([...(await h.maskedFill(h.gt(2), i + 0.5).data())]).toEqual([1, 2, i + 0.5]);
  });
});

describe('packed memory', () => {
  it.each([
    ['f16', 1000, 2000],
    ['f16', 1001, 2004],
    ['i8', 1001, 1004],
    ['u8', 3, 4],
    ['f32', 10, 40],
  ] as const)('of %s[%d] is %d bytes', async (dtype, n, bytes) => {
    await tl.init({ engine: 'reference' });
    const before = tl.memory().live;
    const x = tl.ones(n, { dtype }).mul(1);
    await tl.realize(x);
    expect(tl.memory().live - before).toBe(bytes);
    x.dispose();
  });
});

describe('packed kernels', () => {
  const kernels = async (...tensors: tl.Tensor[]): Promise<number> => {
    await tl.init({ engine: 'plan-only' });
    const before = tl.plans().length;
    await tl.realize(...tensors);
    return tl
      .plans()
      .slice(before)
      .reduce((n, p) => n + p.kernels.length, 0);
  };
  const f16 = (...shape: number[]) =>
    tl.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape, dtype: 'f16' });
  const f32 = (...shape: number[]) => tl.tensor(new Float32Array(shape.reduce((a, b) => a * b)), { shape });

  it('unpack the operands of a product where they are read', async () => {
    expect(await kernels(f32(32, 16).matmul(f16(8, 16).t()).add(f16(8)).relu())).toBe(1);
    expect(await kernels(tl.conv2d(f32(1, 3, 9, 9), f16(4, 3, 3, 3)))).toBe(1);
    const bytes = tl.tensor(new Int8Array(8 * 16), { shape: [8, 16] });
    expect(await kernels(f32(32, 16).matmul(bytes.float().mul(0.1).t()))).toBe(1);
  });

  it('fuse f16 from end to end, and pack the result of a product in one more', async () => {
    expect(await kernels(f16(99).mul(2).add(1).exp())).toBe(1);
    expect(await kernels(f16(32, 16).matmul(f16(16, 8)).relu())).toBe(2);
    // What lies between is not rounded, and not packed.
    expect(await kernels(f16(64, 64).softmax(-1).mul(2))).toBe(1);
    expect(await kernels(f16(64, 65).softmax(-1))).toBe(3);
    expect(await kernels(f16(64, 64).exp().sum())).toBe(2);
  });
});

describe('entry points of their own', () => {
  it('refuse f16 in linear algebra, and give f32 in Fourier transforms', () => {
    const x = tl.eye(4, 4, { dtype: 'f16' });
    expect(() => linalg.cholesky(x)).toThrow(tl.DTypeError);
    expect(fft.rfft(x).dtype).toBe('f32');
  });
});

describe('optimizers', () => {
  it('refuse parameters that are not f32', () => {
    const w = tl.ones(2, { dtype: 'f16', requiresGrad: true });
    expect(() => new optim.SGD([w], { lr: 1 })).toThrow(tl.UnsupportedError);
  });
});
