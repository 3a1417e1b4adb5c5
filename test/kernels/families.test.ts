import { describe, expect, it } from 'vitest';
import { affineIn, linearIndex } from '../../kernels/families/affine.js';
import { type ContractionSchedule, contractionSpace, renderContraction } from '../../kernels/families/contraction.js';
import { widestLoad } from '../../kernels/families/contractionSchedule.js';
import { KIndexWriter, reciprocalOf } from '../../kernels/families/indexOfK.js';
import { splitByK } from '../../kernels/families/splitByK.js';
import { fillTemplate } from '../../kernels/families/template.js';
import type { Expr, Index, IndexVar } from '../../kernels/ir.js';
import { InternalError } from '../../src/graph/index.js';
import {
  constant,
  GPU,
  load,
  minus,
  modulo,
  over,
  plus,
  productKernel,
  SOFTWARE,
  SOFTWARE_WITHOUT_SUBGROUPS,
  times,
  variable,
} from './contraction-harness.js';

/** Value of an index as u32, the obvious way. */
function evaluate(index: Index, values: ReadonlyMap<IndexVar, number>): number {
  switch (index.kind) {
    case 'const':
      return index.value >>> 0;
    case 'var':
      return values.get(index.v)!;
    case 'add':
      return (evaluate(index.a, values) + evaluate(index.b, values)) >>> 0;
    case 'sub':
      return (evaluate(index.a, values) - evaluate(index.b, values)) >>> 0;
    case 'mul':
      return Math.imul(evaluate(index.a, values), index.b) >>> 0;
    case 'div':
      return Math.floor(evaluate(index.a, values) / index.b);
    case 'mod':
      return evaluate(index.a, values) % index.b;
    case 'value':
      throw new Error('no computed indices here');
  }
}

describe('affine indices', () => {
  const [m, k, one] = [
    { name: 'm', extent: 6 },
    { name: 'k', extent: 8 },
    { name: 'one', extent: 1 },
  ];

  it('gives the constants of an affine index', () => {
    const index = minus(plus(times(plus(variable(m), constant(2)), 8), variable(k)), constant(3));
    expect(affineIn(index, [m, k])).toEqual({ c: 13, strides: [8, 1] });
    expect(affineIn(plus(times(variable(one), 5), variable(k)), [m, k])).toEqual({ c: 0, strides: [0, 1] });
    expect(affineIn(minus(plus(variable(m), variable(k)), variable(m)), [m, k])).toEqual({ c: 0, strides: [0, 1] });
  });

  it('refuses other indices', () => {
    expect(affineIn(modulo(variable(k), 3), [m, k])).toBeNull();
    expect(affineIn(variable(m), [k])).toBeNull();
    const computed: Index = { kind: 'value', expr: { kind: 'const', dtype: 'i32', value: 1 } };
    expect(affineIn(computed, [m, k])).toBeNull();
  });

  it('joins equal atoms', () => {
    const row = modulo(variable(k), 3);
    expect(linearIndex(plus(times(row, 4), times(modulo(variable(k), 3), 2))).terms).toEqual([{ atom: row, coef: 6 }]);
  });
});

describe('widest loads', () => {
  const of = (transA: boolean, transB: boolean, k = 8) => {
    const kernel = productKernel({ batch: 2, m: 12, n: 16, k, transA, transB });
    return [widestLoad(kernel, 'a'), widestLoad(kernel, 'b')];
  };

  it('follow the contiguous axis', () => {
    expect(of(false, false)).toEqual(['k', 'row']);
    expect(of(true, true)).toEqual(['row', 'k']);
  });

  it('need aligned strides', () => {
    expect(of(false, true, 7)).toEqual(['scalar', 'scalar']);
    const kernel = productKernel({ batch: 2, m: 12, n: 16, k: 8 });
    const shifted = load(0, plus(variable(kernel.m), constant(2)));
    expect(widestLoad({ ...kernel, a: shifted }, 'a')).toBe('scalar');
  });

  it('see through scales, and stop at guards on the axis', () => {
    const kernel = productKernel({ batch: 1, m: 12, n: 16, k: 8 });
    const scale: Expr = { kind: 'param', dtype: 'f32', slot: 0 };
    expect(widestLoad({ ...kernel, a: { kind: 'binary', dtype: 'f32', fn: 'mul', a: kernel.a, b: scale } }, 'a')).toBe(
      'k',
    );
    const guard = (v: IndexVar): Expr => ({
      kind: 'guard',
      dtype: 'f32',
      conds: [{ kind: 'lt', a: variable(v), b: constant(5) }],
      value: kernel.a,
      otherwise: 0,
    });
    expect(widestLoad({ ...kernel, a: guard(kernel.k) }, 'a')).toBe('scalar');
    expect(widestLoad({ ...kernel, a: guard(kernel.m) }, 'a')).toBe('k');
  });
});

describe('splitting an operand by k', () => {
  const row = { name: 'n', extent: 30 };
  const k = { name: 'k', extent: 27 };

  it('takes out what k alone decides, and stays equal', () => {
    // A convolution's index: a sum of parts of k, parts of n and a constant below zero.
    const tap = modulo(over(variable(k), 3), 3);
    const index = minus(
      plus(
        times(over(variable(k), 9), 35),
        times(plus(over(variable(row), 6), tap), 7),
        modulo(variable(row), 6),
        modulo(variable(k), 3),
      ),
      constant(8),
    );
    const split = splitByK(load(0, index), row, k);
    const taken = (split.expr as Extract<Expr, { kind: 'load' }>).index;
    expect(split.kIndices.length).toBe(1);
    for (let r = 0; r < row.extent; r++) {
      for (let q = 0; q < k.extent; q++) {
        const values = new Map([
          [row, r],
          [k, q],
        ]);
        const parts = new Map(values);
        for (const { v, index: part } of split.kIndices) parts.set(v, evaluate(part, values));
        // The rest knows nothing of k.
        parts.delete(k);
        expect(evaluate(taken, parts)).toBe(evaluate(index, values));
      }
    }
  });

  it('takes out values of k alone', () => {
    const scale = load(1, variable(k));
    const element = load(0, plus(times(variable(row), 27), variable(k)));
    const split = splitByK({ kind: 'binary', dtype: 'f32', fn: 'mul', a: element, b: scale }, row, k);
    expect(split.kValues.map(({ expr }) => expr)).toEqual([scale]);
  });

  it('leaves an operand without k alone', () => {
    const expr = load(0, variable(row));
    expect(splitByK(expr, row, k)).toEqual({ expr, kIndices: [], kValues: [] });
  });
});

describe('division by multiplication', () => {
  it('is exact over the whole range', () => {
    for (const d of [1, 2, 3, 5, 7, 9, 25, 27, 49, 100, 121]) {
      for (const max of [1, d - 1, d, 63, 575, 4607]) {
        const magic = reciprocalOf(max, d)!;
        for (let x = 0; x <= max; x++) {
          expect((Math.imul(x, magic.multiplier) >>> 0) >>> magic.shift, `${x} / ${d}`).toBe(Math.floor(x / d));
        }
      }
    }
  });

  it('gives up where products would pass 32 bits', () => {
    expect(reciprocalOf(2 ** 32 - 1, 3)).toBeNull();
    expect(reciprocalOf(2 ** 32 - 1, 8)).toEqual({ multiplier: 1, shift: 3 });
  });

  it('writes indices of k', () => {
    const k = { name: 'k', extent: 576 };
    const writer = new KIndexWriter(k, 'k1', 'p', () => 'unused');
    const index = plus(times(over(variable(k), 9), 56), modulo(over(variable(k), 3), 3), modulo(variable(k), 4));
    expect(writer.write(index)).toBe('p7');
    expect(writer.lines).toMatchInlineSnapshot(`
      [
        "let p0 = (k1 * 911u) >> 13u;",
        "let p1 = p0 * 56u;",
        "let p2 = (k1 * 683u) >> 11u;",
        "let p3 = (p2 * 171u) >> 9u;",
        "let p4 = p2 - p3 * 3u;",
        "let p5 = p1 + p4;",
        "let p6 = k1 & 3u;",
        "let p7 = p5 + p6;",
      ]
    `);
  });
});

describe('templates', () => {
  it('fill words, and lines with their indentation', () => {
    const text = 'fn {{name}}() {\n  {{body}}\n  {{nothing}}\n}\n';
    const body = ['if (x) {', 'y();', '}', 'z();'];
    expect(fillTemplate(text, { name: 'f', body, nothing: [] })).toBe(
      'fn f() {\n  if (x) {\n    y();\n  }\n  z();\n}\n',
    );
  });

  it('refuse a word without a value', () => {
    expect(() => fillTemplate('{{x}}', {})).toThrow(InternalError);
  });
});

describe('rendered contractions', () => {
  const kernel = productKernel({ batch: 3, m: 5, n: 7, k: 9, transB: true });
  const small = { tm: 2, tn: 1, wgX: 4, wgY: 2, ku: 4, splitK: 1, loadA: 'scalar', loadB: 'scalar' } as const;
  const show = (schedule: ContractionSchedule) => renderContraction(kernel, schedule);

  it('share loads across quads', () => {
    expect(show({ kind: 'register', share: 'a', ...small }).code).toMatchInlineSnapshot(`
      "enable subgroups;
      @group(0) @binding(0) var<storage, read_write> b0: array<f32, 135>;
      @group(0) @binding(1) var<storage, read_write> b1: array<f32, 189>;
      @group(0) @binding(2) var<storage, read_write> b2: array<f32, 105>;
      // Each invocation keeps a tile of sums in registers and reads its operands from storage: no barrier.
      @compute @workgroup_size(4, 2, 1)
      fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
        let tileX = group.x;
        let tileY = group.y;
        let batch = group.z;
        let m0 = (tileY * 2u + local.y) * 2u;
        let n0 = (tileX * 4u + local.x) * 1u;
        let i0 = batch * 45u;
        let i5 = batch * 63u;
        let i20 = batch * 35u;
        let aRow0 = min(m0 + 0u, 4u);
        let aRow1 = min(m0 + 1u, 4u);
        let i1 = i0 + (aRow0 * 9u);
        let i3 = i0 + (aRow1 * 9u);
        let bRow0 = min(n0 + 0u, 6u);
        let i6 = i5 + (bRow0 * 9u);
        var c0_0 = 0f;
        var c1_0 = 0f;
        { const k = 0u;
        const k1 = k + 1u;
        const k2 = k + 2u;
        const k3 = k + 3u;
        let aLane0 = k + (local.x & 3u);
        let t2 = b0[i1 + aLane0];
        let t4 = b0[i3 + aLane0];
        let t7 = b1[i6 + k];
        let a0_0q = quadBroadcast(t2, 0u);
        c0_0 += a0_0q * t7;
        let a1_0q = quadBroadcast(t4, 0u);
        c1_0 += a1_0q * t7;
        let t8 = b1[i6 + k1];
        let a0_1q = quadBroadcast(t2, 1u);
        c0_0 += a0_1q * t8;
        let a1_1q = quadBroadcast(t4, 1u);
        c1_0 += a1_1q * t8;
        let t9 = b1[i6 + k2];
        let a0_2q = quadBroadcast(t2, 2u);
        c0_0 += a0_2q * t9;
        let a1_2q = quadBroadcast(t4, 2u);
        c1_0 += a1_2q * t9;
        let t10 = b1[i6 + k3];
        let a0_3q = quadBroadcast(t2, 3u);
        c0_0 += a0_3q * t10;
        let a1_3q = quadBroadcast(t4, 3u);
        c1_0 += a1_3q * t10;
        }
        { const k = 4u;
        const k1 = k + 1u;
        const k2 = k + 2u;
        const k3 = k + 3u;
        let aLane0 = k + (local.x & 3u);
        let t11 = b0[i1 + aLane0];
        let t12 = b0[i3 + aLane0];
        let t13 = b1[i6 + k];
        let a0_0q = quadBroadcast(t11, 0u);
        c0_0 += a0_0q * t13;
        let a1_0q = quadBroadcast(t12, 0u);
        c1_0 += a1_0q * t13;
        let t14 = b1[i6 + k1];
        let a0_1q = quadBroadcast(t11, 1u);
        c0_0 += a0_1q * t14;
        let a1_1q = quadBroadcast(t12, 1u);
        c1_0 += a1_1q * t14;
        let t15 = b1[i6 + k2];
        let a0_2q = quadBroadcast(t11, 2u);
        c0_0 += a0_2q * t15;
        let a1_2q = quadBroadcast(t12, 2u);
        c1_0 += a1_2q * t15;
        let t16 = b1[i6 + k3];
        let a0_3q = quadBroadcast(t11, 3u);
        c0_0 += a0_3q * t16;
        let a1_3q = quadBroadcast(t12, 3u);
        c1_0 += a1_3q * t16;
        }
        { const k = 8u;
        let t17 = b1[i6 + k];
        let t18 = b0[i1 + k];
        let t19 = b0[i3 + k];
        c0_0 += t18 * t17;
        c1_0 += t19 * t17;
        }
        if (m0 + 0u < 5u) {
          let i21 = i20 + ((m0 + 0u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i21 + (n0 + 0u)] = c0_0;
          }
        }
        if (m0 + 1u < 5u) {
          let i22 = i20 + ((m0 + 1u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i22 + (n0 + 0u)] = c1_0;
          }
        }
      }
      "
    `);
  });

  it('stage tiles in workgroup memory', () => {
    const { code, workgroups } = show({ kind: 'shared', share: 'none', ...small, tm: 4, tn: 4, wgX: 2, wgY: 2, ku: 8 });
    expect(workgroups).toEqual([1, 1, 3]);
    expect(code).toMatchInlineSnapshot(`
      "@group(0) @binding(0) var<storage, read_write> b0: array<f32, 135>;
      @group(0) @binding(1) var<storage, read_write> b1: array<f32, 189>;
      @group(0) @binding(2) var<storage, read_write> b2: array<f32, 105>;
      var<workgroup> tileA: array<vec4<f32>, 24>;
      var<workgroup> tileB: array<vec4<f32>, 24>;
      // The workgroup stages one tile of each operand at a time; each invocation multiplies its rows of one with its rows of the other.
      @compute @workgroup_size(2, 2, 1)
      fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
        let tileX = group.x;
        let tileY = group.y;
        let batch = group.z;
        let m0 = (tileY * 2u + local.y) * 4u;
        let n0 = (tileX * 2u + local.x) * 4u;
        let worker = local.y * 2u + local.x;
        let layer = local.z;
        let i0 = batch * 45u;
        let i9 = batch * 63u;
        let i18 = batch * 35u;
        var c0_0 = 0f; var c0_1 = 0f; var c0_2 = 0f; var c0_3 = 0f;
        var c1_0 = 0f; var c1_1 = 0f; var c1_2 = 0f; var c1_3 = 0f;
        var c2_0 = 0f; var c2_1 = 0f; var c2_2 = 0f; var c2_3 = 0f;
        var c3_0 = 0f; var c3_1 = 0f; var c3_2 = 0f; var c3_3 = 0f;
        for (var stage = 0u; stage < 2u; stage++) {
          let k0 = (stage * 1u + layer) * 8u;
          for (var cell = worker; cell < 16u; cell += 4u) {
            let row = tileY * 8u + cell / 2u;
            let k = k0 + (cell % 2u) * 4u;
            let aRow0 = min(row + 0u, 4u);
            let aK0 = min(k + 0u, 8u);
            let i1 = i0 + (aRow0 * 9u);
            let t2 = b0[i1 + aK0];
            let aRow1 = min(row + 0u, 4u);
            let aK1 = min(k + 1u, 8u);
            let i3 = i0 + (aRow1 * 9u);
            let t4 = b0[i3 + aK1];
            let aRow2 = min(row + 0u, 4u);
            let aK2 = min(k + 2u, 8u);
            let i5 = i0 + (aRow2 * 9u);
            let t6 = b0[i5 + aK2];
            let aRow3 = min(row + 0u, 4u);
            let aK3 = min(k + 3u, 8u);
            let i7 = i0 + (aRow3 * 9u);
            let t8 = b0[i7 + aK3];
            tileA[cell + cell / 2u] = vec4<f32>(select(0f, t2, k + 0u < 9u), select(0f, t4, k + 1u < 9u), select(0f, t6, k + 2u < 9u), select(0f, t8, k + 3u < 9u));
          }
          for (var cell = worker; cell < 16u; cell += 4u) {
            let row = tileX * 8u + cell / 2u;
            let k = k0 + (cell % 2u) * 4u;
            let bRow0 = min(row + 0u, 6u);
            let bK0 = min(k + 0u, 8u);
            let i10 = i9 + (bRow0 * 9u);
            let t11 = b1[i10 + bK0];
            let bRow1 = min(row + 0u, 6u);
            let bK1 = min(k + 1u, 8u);
            let i12 = i9 + (bRow1 * 9u);
            let t13 = b1[i12 + bK1];
            let bRow2 = min(row + 0u, 6u);
            let bK2 = min(k + 2u, 8u);
            let i14 = i9 + (bRow2 * 9u);
            let t15 = b1[i14 + bK2];
            let bRow3 = min(row + 0u, 6u);
            let bK3 = min(k + 3u, 8u);
            let i16 = i9 + (bRow3 * 9u);
            let t17 = b1[i16 + bK3];
            tileB[cell + cell / 2u] = vec4<f32>(select(0f, t11, k + 0u < 9u), select(0f, t13, k + 1u < 9u), select(0f, t15, k + 2u < 9u), select(0f, t17, k + 3u < 9u));
          }
          workgroupBarrier();
          for (var quarter = 0u; quarter < 2u; quarter++) {
            let left0 = tileA[(local.y * 4u + 0u) * 3u + quarter];
            let left1 = tileA[(local.y * 4u + 1u) * 3u + quarter];
            let left2 = tileA[(local.y * 4u + 2u) * 3u + quarter];
            let left3 = tileA[(local.y * 4u + 3u) * 3u + quarter];
            let right0 = tileB[(local.x * 4u + 0u) * 3u + quarter];
            let right1 = tileB[(local.x * 4u + 1u) * 3u + quarter];
            let right2 = tileB[(local.x * 4u + 2u) * 3u + quarter];
            let right3 = tileB[(local.x * 4u + 3u) * 3u + quarter];
            c0_0 += left0.x * right0.x;
            c0_1 += left0.x * right1.x;
            c0_2 += left0.x * right2.x;
            c0_3 += left0.x * right3.x;
            c1_0 += left1.x * right0.x;
            c1_1 += left1.x * right1.x;
            c1_2 += left1.x * right2.x;
            c1_3 += left1.x * right3.x;
            c2_0 += left2.x * right0.x;
            c2_1 += left2.x * right1.x;
            c2_2 += left2.x * right2.x;
            c2_3 += left2.x * right3.x;
            c3_0 += left3.x * right0.x;
            c3_1 += left3.x * right1.x;
            c3_2 += left3.x * right2.x;
            c3_3 += left3.x * right3.x;
            c0_0 += left0.y * right0.y;
            c0_1 += left0.y * right1.y;
            c0_2 += left0.y * right2.y;
            c0_3 += left0.y * right3.y;
            c1_0 += left1.y * right0.y;
            c1_1 += left1.y * right1.y;
            c1_2 += left1.y * right2.y;
            c1_3 += left1.y * right3.y;
            c2_0 += left2.y * right0.y;
            c2_1 += left2.y * right1.y;
            c2_2 += left2.y * right2.y;
            c2_3 += left2.y * right3.y;
            c3_0 += left3.y * right0.y;
            c3_1 += left3.y * right1.y;
            c3_2 += left3.y * right2.y;
            c3_3 += left3.y * right3.y;
            c0_0 += left0.z * right0.z;
            c0_1 += left0.z * right1.z;
            c0_2 += left0.z * right2.z;
            c0_3 += left0.z * right3.z;
            c1_0 += left1.z * right0.z;
            c1_1 += left1.z * right1.z;
            c1_2 += left1.z * right2.z;
            c1_3 += left1.z * right3.z;
            c2_0 += left2.z * right0.z;
            c2_1 += left2.z * right1.z;
            c2_2 += left2.z * right2.z;
            c2_3 += left2.z * right3.z;
            c3_0 += left3.z * right0.z;
            c3_1 += left3.z * right1.z;
            c3_2 += left3.z * right2.z;
            c3_3 += left3.z * right3.z;
            c0_0 += left0.w * right0.w;
            c0_1 += left0.w * right1.w;
            c0_2 += left0.w * right2.w;
            c0_3 += left0.w * right3.w;
            c1_0 += left1.w * right0.w;
            c1_1 += left1.w * right1.w;
            c1_2 += left1.w * right2.w;
            c1_3 += left1.w * right3.w;
            c2_0 += left2.w * right0.w;
            c2_1 += left2.w * right1.w;
            c2_2 += left2.w * right2.w;
            c2_3 += left2.w * right3.w;
            c3_0 += left3.w * right0.w;
            c3_1 += left3.w * right1.w;
            c3_2 += left3.w * right2.w;
            c3_3 += left3.w * right3.w;
          }
          workgroupBarrier();
        }
        if (m0 + 0u < 5u) {
          let i19 = i18 + ((m0 + 0u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i19 + (n0 + 0u)] = c0_0;
          }
          if (n0 + 1u < 7u) {
            b2[i19 + (n0 + 1u)] = c0_1;
          }
          if (n0 + 2u < 7u) {
            b2[i19 + (n0 + 2u)] = c0_2;
          }
          if (n0 + 3u < 7u) {
            b2[i19 + (n0 + 3u)] = c0_3;
          }
        }
        if (m0 + 1u < 5u) {
          let i20 = i18 + ((m0 + 1u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i20 + (n0 + 0u)] = c1_0;
          }
          if (n0 + 1u < 7u) {
            b2[i20 + (n0 + 1u)] = c1_1;
          }
          if (n0 + 2u < 7u) {
            b2[i20 + (n0 + 2u)] = c1_2;
          }
          if (n0 + 3u < 7u) {
            b2[i20 + (n0 + 3u)] = c1_3;
          }
        }
        if (m0 + 2u < 5u) {
          let i21 = i18 + ((m0 + 2u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i21 + (n0 + 0u)] = c2_0;
          }
          if (n0 + 1u < 7u) {
            b2[i21 + (n0 + 1u)] = c2_1;
          }
          if (n0 + 2u < 7u) {
            b2[i21 + (n0 + 2u)] = c2_2;
          }
          if (n0 + 3u < 7u) {
            b2[i21 + (n0 + 3u)] = c2_3;
          }
        }
        if (m0 + 3u < 5u) {
          let i22 = i18 + ((m0 + 3u) * 7u);
          if (n0 + 0u < 7u) {
            b2[i22 + (n0 + 0u)] = c3_0;
          }
          if (n0 + 1u < 7u) {
            b2[i22 + (n0 + 1u)] = c3_1;
          }
          if (n0 + 2u < 7u) {
            b2[i22 + (n0 + 2u)] = c3_2;
          }
          if (n0 + 3u < 7u) {
            b2[i22 + (n0 + 3u)] = c3_3;
          }
        }
      }
      "
    `);
  });

  it('write buffers out with their lengths, so that accesses are checked against constants', () => {
    for (const caps of [SOFTWARE, SOFTWARE_WITHOUT_SUBGROUPS, GPU]) {
      for (const s of contractionSpace(kernel, caps)) {
        expect(renderContraction(kernel, s).code).toMatch(/b0: array<f32, 135>;[\s\S]*b2: array<f32, 105>;/);
      }
    }
  });

  it('compute what does not depend on k before the loop', () => {
    const { code } = show({ kind: 'register', share: 'none', ...small });
    const loop = code.slice(code.indexOf('for (var k'));
    expect(code.indexOf('aRow1 * 9u')).toBeGreaterThan(0);
    expect(loop).not.toContain('aRow1 * 9u');
  });
});
