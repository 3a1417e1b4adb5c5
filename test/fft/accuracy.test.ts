import * as tl from 'tiller';
import * as fft from 'tiller/fft';
import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/data/random.js';
import { rootOfUnity } from '../../src/fft/roots.js';
import { hostTransform } from '../../src/fft/tables.js';

/** The transform by its definition, in float64. */
function byDefinition(x: ArrayLike<number>, n: number): Float64Array {
  const out = new Float64Array(2 * n);
  const roots = Array.from({ length: n }, (_, k) => [
    Math.cos((2 * Math.PI * k) / n),
    -Math.sin((2 * Math.PI * k) / n),
  ]);
  for (let k = 0; k < n; k++) {
    for (let j = 0; j < n; j++) {
      const [cos, sin] = roots[(j * k) % n] as [number, number];
      out[2 * k]! += x[2 * j]! * cos - x[2 * j + 1]! * sin;
      out[2 * k + 1]! += x[2 * j]! * sin + x[2 * j + 1]! * cos;
    }
  }
  return out;
}

function noise(n: number): Float32Array {
  const random = new SeededRandom(n);
  return Float32Array.from({ length: n }, () => random.uniform(-1, 1));
}

/** Root of the mean square of the error, in parts of that of the result. */
function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (actual[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

describe('roots of unity', () => {
  it('are exact where they are whole, and right elsewhere', () => {
    expect([0, 1, 2, 3].map((k) => rootOfUnity(k, 4).map((v) => v + 0))).toEqual([
      [1, 0],
      [0, 1],
      [-1, 0],
      [0, -1],
    ]);
    expect(rootOfUnity(-1, 12)[1]).toBeCloseTo(-0.5, 15);
    for (const n of [1, 2, 3, 7, 12, 65, 1024]) {
      for (let k = -n; k <= 2 * n; k++) {
        const [x, y] = rootOfUnity(k, n);
        expect(Math.abs(x - Math.cos((2 * Math.PI * k) / n))).toBeLessThan(4e-15);
        expect(Math.abs(y - Math.sin((2 * Math.PI * k) / n))).toBeLessThan(4e-15);
      }
    }
  });
});

it('the transform on the host is the definition', () => {
  const x = noise(128);
  const re = Float64Array.from({ length: 64 }, (_, i) => x[2 * i]!);
  const im = Float64Array.from({ length: 64 }, (_, i) => x[2 * i + 1]!);
  hostTransform(re, im);
  const pairs = Float64Array.from({ length: 128 }, (_, i) => (i % 2 === 0 ? re : im)[i >> 1]!);
  expect(distance(pairs, byDefinition(x, 64))).toBeLessThan(1e-14);
});

describe.each(['reference', 'wasm', 'webgpu'] as const)('the accuracy of transforms on %s', (engine) => {
  beforeAll(async () => {
    await tl.init({ engine });
  });

  const lengths = engine === 'reference' ? [7, 64, 97, 131, 1000] : [7, 64, 97, 127, 131, 1000, 1009, 2048, 3001, 4096];
  it.each(lengths)('n = %i: the error stays within some roundings for each factor of 2', async (n) => {
    const x = noise(2 * n);
    const expected = byDefinition(x, n);
    const error = distance(await fft.fft(tl.tensor(x, { shape: [n, 2] })).data(), expected);
    const rounding = 2 ** -24;
    console.log(`fft ${engine} n=${n}: ${(error / rounding).toFixed(2)} roundings`);
    expect(error).toBeLessThan(rounding * (1 + Math.log2(n)));
    const back = await fft.ifft(fft.fft(tl.tensor(x, { shape: [n, 2] }))).data();
    expect(distance(back, x)).toBeLessThan(2 * rounding * (1 + Math.log2(n)));
    const real = noise(n);
    const full = byDefinition(
      Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? real[i >> 1]! : 0)),
      n,
    );
    const half = await fft.rfft(tl.tensor(real)).data();
    expect(distance(half, full.subarray(0, half.length))).toBeLessThan(rounding * (1 + Math.log2(n)));
    const again = await fft.irfft(fft.rfft(tl.tensor(real)), { n }).data();
    expect(distance(again, real)).toBeLessThan(2 * rounding * (1 + Math.log2(n)));
  });

  it('goes inside compiled functions, scopes, and vmap', async () => {
    const spectrum = (x: tl.Tensor) => fft.rfft(x.mul(2));
    const compiled = tl.compile(spectrum);
    for (let call = 0; call < 3; call++) {
      const x = tl.tensor(noise(70 + 0)).add(call);
      expect([...(await compiled(x).data())]).toEqual([...(await spectrum(x).data())]);
    }
    const rows = tl.tensor(noise(140), { shape: [2, 70] });
    const one = await tl.vmap(spectrum)(rows).data();
    const all = await spectrum(rows).data();
    expect(distance(one, all)).toBeLessThan(1e-6);
    const [first, second] = [0, 1].map(() => tl.scope(() => fft.irfft(fft.rfft(rows))));
    expect([...(await first!.data())]).toEqual([...(await second!.data())]);
  });
});
