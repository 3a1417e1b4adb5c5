import { describe, expect, it } from 'vitest';
import type { Expr, LoopKernel } from '../../kernels/ir.js';
import { printKernel } from '../../kernels/print.js';
import {
  chooseLoopSchedule,
  gridOf,
  packParams,
  type RenderCapabilities,
  renderLoopKernel,
  signatureOf,
} from '../../kernels/render/index.js';
import { verifyKernel } from '../../kernels/verify.js';
import { UnsupportedError } from '../../src/graph/index.js';
import {
  bin,
  forEach,
  ge,
  guard,
  iadd,
  idiv,
  imod,
  imul,
  isub,
  iv,
  kernelOf,
  load,
  lt,
  num,
  param,
  reduce,
  resultOf,
  rowMajor,
  store,
  term,
  un,
  variable,
} from './build.js';

const software: RenderCapabilities = {
  software: true,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupMemoryBytes: 16384,
  maxWorkgroupsPerDimension: 65535,
};
const gpu: RenderCapabilities = { ...software, software: false };

const code = (kernel: LoopKernel, capabilities: RenderCapabilities = software): string =>
  renderLoopKernel(kernel, chooseLoopSchedule(kernel, capabilities)).code;

function biasedRelu(rows: number, columns: number): LoopKernel {
  const [i, j] = [variable('i', rows), variable('j', columns)];
  const value = bin('max', bin('add', load(0, rowMajor(i, j)), load(1, iv(j))), num(0));
  return kernelOf(
    [
      ['f32', rows * columns],
      ['f32', columns],
      ['f32', rows * columns, 'write'],
    ],
    [{ parallel: [i, j], body: [store(2, rowMajor(i, j), value)] }],
  );
}

function softmax(rows: number, columns: number): LoopKernel {
  const [i, k, k2, k3] = [variable('i', rows), variable('k', columns), variable('k', columns), variable('k', columns)];
  const max = term('max', load(0, rowMajor(i, k)), 'max');
  const sum = term('sum', un('exp', bin('sub', load(0, rowMajor(i, k2)), resultOf(max.result))), 'sum');
  const shifted = bin('sub', load(0, rowMajor(i, k3)), resultOf(max.result));
  const out = bin('div', un('exp', shifted), resultOf(sum.result));
  return kernelOf(
    [
      ['f32', rows * columns],
      ['f32', rows * columns, 'write'],
    ],
    [{ parallel: [i], body: [reduce([k], max), reduce([k2], sum), forEach([k3], store(1, rowMajor(i, k3), out))] }],
  );
}

/** What stands in main, without the helper functions. */
const mainOf = (text: string): string => text.slice(text.indexOf('fn main'));

describe('rendered code', () => {
  it('takes whole vectors where memory is contiguous, with one division for the bias', () => {
    expect(code(biasedRelu(128, 256))).toMatchInlineSnapshot(`
      "@group(0) @binding(0) var<storage, read_write> b0: array<vec4<f32>>;
      @group(0) @binding(1) var<storage, read_write> b1: array<vec4<f32>>;
      @group(0) @binding(2) var<storage, read_write> b2: array<vec4<f32>>;
      fn tl_max_f32_v4(a0: vec4<f32>, a1: vec4<f32>) -> vec4<f32> {
        let v0 = select(select(a1, a0, (a1 < a0)), bitcast<vec4<f32>>((bitcast<vec4<u32>>(a0) & bitcast<vec4<u32>>(a1))), (a0 == a1));
        return select(v0, a0, (vec4<i32>(2139095040i) < (bitcast<vec4<i32>>(a0) & vec4<i32>(2147483647i))));
      }
      @compute @workgroup_size(256)
      fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let point = group * 256u + lane;
        let i0 = point & 63u;
        b2[point] = tl_max_f32_v4((b0[point] + b1[i0]), vec4<f32>(0f));
      }
      "
    `);
  });

  it('takes single elements where rows are no fours', () => {
    expect(mainOf(code(biasedRelu(7, 9)))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let point = group * 4u + lane;
        if (point >= 63u) { return; }
        let i0 = (point * 57u) >> 9u;
        let i1 = point - i0 * 9u;
        b2[point] = tl_max_f32((b0[point] + b1[i1]), 0f);
      }
      "
    `);
  });

  it('moves what does not change out of loops, and sums long rows in blocks', () => {
    expect(mainOf(code(softmax(64, 1024)))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let point = group * 4u + lane;
        let i2 = point * 256u;
        var r0 = vec4<f32>(tl_f32(4286578688u));
        for (var k1 = 0u; k1 < 256u; k1++) {
          r0 = tl_max_f32_v4(r0, b0[i2 + k1]);
        }
        let r3 = tl_max_f32((tl_max_f32(r0.x, r0.y)), (tl_max_f32(r0.z, r0.w)));
        var r5 = vec4<f32>(0f);
        for (var k6b = 0u; k6b < 256u; k6b += 64u) {
          var p4 = vec4<f32>(0f);
          for (var k6 = k6b; k6 < k6b + 64u; k6++) {
            p4 = p4 + tl_exp_v4((b0[i2 + k6] - vec4<f32>(r3)));
          }
          r5 = r5 + p4;
        }
        let r7 = (r5.x + r5.y) + (r5.z + r5.w);
        for (var k8 = 0u; k8 < 256u; k8++) {
          b1[i2 + k8] = tl_exp_v4((b0[i2 + k8] - vec4<f32>(r3))) / vec4<f32>(r7);
        }
      }
      "
    `);
  });

  it('shares rows between threads on a GPU', () => {
    expect(mainOf(code(softmax(64, 256), gpu))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let i2 = group * 64u;
        var r0 = vec4<f32>(tl_f32(4286578688u));
        for (var k1 = lane; k1 < 64u; k1 += 64u) {
          r0 = tl_max_f32_v4(r0, b0[i2 + k1]);
        }
        let r3 = tl_max_f32((tl_max_f32(r0.x, r0.y)), (tl_max_f32(r0.z, r0.w)));
        shared0[lane] = r3;
        workgroupBarrier();
        if (lane < 4u) {
          var r4 = shared0[lane];
          for (var k5 = lane + 4u; k5 < 64u; k5 += 4u) {
            r4 = tl_max_f32(r4, shared0[k5]);
          }
          shared0[lane] = r4;
        }
        workgroupBarrier();
        var r6 = shared0[0u];
        for (var k7 = 1u; k7 < 4u; k7 += 1u) {
          r6 = tl_max_f32(r6, shared0[k7]);
        }
        var r8 = vec4<f32>(0f);
        for (var k9 = lane; k9 < 64u; k9 += 64u) {
          r8 = r8 + tl_exp_v4((b0[i2 + k9] - vec4<f32>(r6)));
        }
        let r10 = (r8.x + r8.y) + (r8.z + r8.w);
        workgroupBarrier();
        shared0[lane] = r10;
        workgroupBarrier();
        if (lane < 4u) {
          var r11 = shared0[lane];
          for (var k12 = lane + 4u; k12 < 64u; k12 += 4u) {
            r11 = r11 + shared0[k12];
          }
          shared0[lane] = r11;
        }
        workgroupBarrier();
        var r13 = shared0[0u];
        for (var k14 = 1u; k14 < 4u; k14 += 1u) {
          r13 = r13 + shared0[k14];
        }
        for (var k15 = lane; k15 < 64u; k15 += 64u) {
          b1[i2 + k15] = tl_exp_v4((b0[i2 + k15] - vec4<f32>(r6))) / vec4<f32>(r13);
        }
      }
      "
    `);
  });

  it('clamps guarded reads, and only those that may leave the buffer', () => {
    const i = variable('i', 10);
    const padded = guard([ge(iv(i), 3), lt(iv(i), 8)], load(0, isub(iv(i), 3), 'f32', true), -1);
    const certain = guard([lt(iv(i), 10)], load(1, iv(i), 'f32', true), -1);
    const kernel = kernelOf(
      [
        ['f32', 5],
        ['f32', 10],
        ['f32', 10, 'write'],
      ],
      [{ parallel: [i], body: [store(2, iv(i), bin('add', padded, certain))] }],
    );
    expect(mainOf(code(kernel))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let point = group * 4u + lane;
        if (point >= 10u) { return; }
        b2[point] = select((-1f), b0[min((point - 3u), 4u)], (point >= 3u) & (point < 8u)) + b1[point];
      }
      "
    `);
  });

  it('writes shared parts once, and nothing that indices do not need', () => {
    const [i, j] = [variable('i', 6), variable('j', 10)];
    const flat = iadd(imul(idiv(rowMajor(i, j), 10), 10), imod(rowMajor(i, j), 10));
    const square = bin('mul', load(0, flat), load(0, flat));
    const kernel = kernelOf(
      [
        ['f32', 60],
        ['f32', 60, 'write'],
        ['f32', 60, 'write'],
      ],
      [
        {
          parallel: [i, j],
          body: [store(1, rowMajor(i, j), square), store(2, rowMajor(i, j), bin('add', square, param(0)))],
        },
      ],
      ['f32'],
    );
    expect(mainOf(code(kernel))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let group = workgroup.x;
        let point = group * 4u + lane;
        let t0 = b0[point] * b0[point];
        let t1 = t0 + bitcast<f32>(params[0].x);
        b1[point] = t0;
        b2[point] = t1;
      }
      "
    `);
  });
});

describe('the launch', () => {
  it('folds the grid where one dimension is too short', () => {
    expect(gridOf('k', 0, 65535)).toEqual([0, 0, 0]);
    expect(gridOf('k', 65535, 65535)).toEqual([65535, 1, 1]);
    expect(gridOf('k', 65536, 65535)).toEqual([32768, 2, 1]);
    expect(() => gridOf('k', 65535 ** 2 + 1, 65535)).toThrow(UnsupportedError);
  });

  it('binds buffers by number and params after them, in words', () => {
    const kernel = kernelOf(
      [
        ['f32', 4],
        ['f32', 0],
        ['i32', 4, 'write'],
      ],
      [],
      ['f32', 'i32', 'u32', 'bool', 'f32'],
    );
    const { buffers, params } = signatureOf(kernel);
    expect(buffers).toEqual([0, 2]);
    expect(params).toMatchObject({ binding: 3, bytes: 32 });
    const words = packParams(params!, [1.5, -1, 7, 1, Number.NEGATIVE_INFINITY]);
    expect([...words]).toEqual([0x3fc00000, 0xffffffff, 7, 1, 0xff800000, 0, 0, 0]);
  });
});

describe('chosen schedules', () => {
  const chosen = (kernel: LoopKernel, capabilities: RenderCapabilities) => chooseLoopSchedule(kernel, capabilities);

  it('a thread a row on a CPU, a workgroup a row on a GPU', () => {
    expect(chosen(softmax(2048, 1024), software).segments).toEqual([{ lanes: 1, vector: 'inner' }]);
    expect(chosen(softmax(2048, 1024), gpu)).toEqual({
      workgroupSize: 128,
      segments: [{ lanes: 128, vector: 'inner' }],
    });
    expect(chosen(softmax(2048, 10), gpu).segments[0]!.lanes).toBe(1);
  });

  it('a workgroup for a long sum to one value', () => {
    const n = variable('n', 1 << 21);
    const sum = term('sum', load(0, iv(n)));
    const kernel = kernelOf(
      [
        ['f32', 1 << 21],
        ['f32', 1, 'write'],
      ],
      [{ parallel: [], body: [reduce([n], sum), store(1, { kind: 'const', value: 0 }, resultOf(sum.result))] }],
    );
    for (const capabilities of [software, gpu]) {
      const { workgroupSize, segments } = chosen(kernel, capabilities);
      expect(segments).toEqual([{ lanes: workgroupSize, vector: 'inner' }]);
      expect(workgroupSize).toBeGreaterThan(1);
    }
  });

  it('column sums take four columns at a time', () => {
    const [i, j] = [variable('i', 512), variable('j', 1024)];
    const sum = term('sum', load(0, rowMajor(i, j)));
    const kernel = kernelOf(
      [
        ['f32', 512 * 1024],
        ['f32', 1024, 'write'],
      ],
      [{ parallel: [j], body: [reduce([i], sum), store(1, iv(j), resultOf(sum.result))] }],
    );
    expect(chosen(kernel, software).segments).toEqual([{ lanes: 1, vector: 'parallel' }]);
  });
});

describe('the printer', () => {
  it('shows a kernel as loops', () => {
    expect(printKernel(softmax(4, 8))).toMatchInlineSnapshot(`
      "loop kernel test
        b0: f32[32] read
        b1: f32[32] write
      parallel i < 4
        reduce k < 8
          max: f32 = max b0[(0*4 + i)*8 + k]
        reduce k_2 < 8
          sum: f32 = sum exp((b0[(0*4 + i)*8 + k_2] - max))
        for k_3 < 8
          b1[(0*4 + i)*8 + k_3] = (exp((b0[(0*4 + i)*8 + k_3] - max)) / sum)"
    `);
  });
});

describe('the verifier', () => {
  const i = variable('i', 4);
  const one = (value: Expr, index = iv(i)) =>
    kernelOf(
      [
        ['f32', 4],
        ['f32', 4, 'write'],
      ],
      [{ parallel: [i], body: [store(1, index, value)] }],
    );
  const broken: Record<string, [LoopKernel, RegExp]> = {
    'a dtype that does not fit its function': [one(bin('add', load(0, iv(i)), num(1, 'i32'))), /operand of dtype i32/],
    'a function that the dtype lacks': [one(un('exp', num(1, 'i32'), 'i32')), /exp of i32/],
    'a stored dtype': [one(num(1, 'i32')), /store of i32 to buffer 1 of f32/],
    'a variable out of scope': [one(load(0, iv(variable('j', 4)))), /variable out of scope: j/],
    'a result out of scope': [one(resultOf({ name: 'r', dtype: 'f32' })), /result out of scope: r/],
    'a buffer that is not there': [one(load(5, iv(i))), /load of buffer 5 of 2/],
    'a read of what is only written': [one(load(1, iv(i))), /only written/],
    'a param that is not there': [one(param(0)), /param 0 of 0/],
    'a divisor of zero': [one(load(0, idiv(iv(i), 0))), /index divisor: 0/],
    'an index of floats': [one(load(0, { kind: 'value', expr: load(0, iv(i)) })), /index of dtype f32/],
    'a store to what is only read': [
      kernelOf([['f32', 4]], [{ parallel: [i], body: [store(0, iv(i), num(1))] }]),
      /read-only/,
    ],
    'a variable bound twice': [
      kernelOf([['f32', 4, 'write']], [{ parallel: [i, i], body: [store(0, iv(i), num(1))] }]),
      /bound twice: i/,
    ],
  };
  for (const [name, [kernel, message]] of Object.entries(broken)) {
    it(`refuses ${name}`, () => expect(() => verifyKernel(kernel)).toThrow(message));
  }
  it('accepts a kernel that keeps all promises', () => {
    verifyKernel(softmax(4, 8));
    verifyKernel(biasedRelu(4, 8));
  });
});
