/** What elementwise and row kernels, reductions and gathers become at each level of what GPUs have: a change of a renderer shows here, line by line. */
import * as tl from 'tiller';
import { beforeAll, expect, it } from 'vitest';
import { codesByLevel, given } from './codesByLevel.js';

beforeAll(() => tl.init({ engine: 'plan-only' }));

it('elementwise, f16 in and out', async () => {
  expect(await codesByLevel(given([1000], 'f16').mul(3))).toMatchInlineSnapshot(`
    "// at the level baseline, subgroups
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let point = group * 64u + lane;
      if (point >= 125u) { return; }
      let t0 = b0[point];
      let t1 = tl_shiftLeft_u32_v4(tl_half_bits_v4((tl_half_value_v4(tl_shiftRight_u32_v4(t0, vec4<u32>(16u))) * vec4<f32>(3f))), vec4<u32>(16u));
      b1[point] = tl_half_bits_v4((tl_half_value_v4(t0) * vec4<f32>(3f))) | t1;
    }

    // at the level everything
    enable f16;
    fn tl_own_half_value_v4(a0: vec4<u32>) -> vec4<f32> { return vec4<f32>(f32(bitcast<vec2<f16>>(a0.x).x), f32(bitcast<vec2<f16>>(a0.y).x), f32(bitcast<vec2<f16>>(a0.z).x), f32(bitcast<vec2<f16>>(a0.w).x)); }
    fn tl_own_half_bits_v4(a0: vec4<f32>) -> vec4<u32> { return vec4<u32>(bitcast<u32>(vec2<f16>(a0.xy)) & 0xffffu, bitcast<u32>(vec2<f16>(a0.xy)) >> 16u, bitcast<u32>(vec2<f16>(a0.zw)) & 0xffffu, bitcast<u32>(vec2<f16>(a0.zw)) >> 16u); }
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let point = group * 64u + lane;
      if (point >= 125u) { return; }
      let t0 = b0[point];
      let t1 = tl_shiftLeft_u32_v4(tl_own_half_bits_v4((tl_own_half_value_v4(tl_shiftRight_u32_v4(t0, vec4<u32>(16u))) * vec4<f32>(3f))), vec4<u32>(16u));
      b1[point] = tl_own_half_bits_v4((tl_own_half_value_v4(t0) * vec4<f32>(3f))) | t1;
    }"
  `);
});

it('reduction of rows', async () => {
  expect(await codesByLevel(given([4, 1024]).sum(1))).toMatchInlineSnapshot(`
    "// at the level baseline
    @compute @workgroup_size(128)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let i2 = group * 256u;
      var r0 = vec4<f32>(0f);
      for (var k1 = lane; k1 < 256u; k1 += 128u) {
        r0 = r0 + b0[i2 + k1];
      }
      let r3 = (r0.x + r0.y) + (r0.z + r0.w);
      shared0[lane] = r3;
      workgroupBarrier();
      if (lane < 8u) {
        var r4 = shared0[lane];
        for (var k5 = lane + 8u; k5 < 128u; k5 += 8u) {
          r4 = r4 + shared0[k5];
        }
        shared0[lane] = r4;
      }
      workgroupBarrier();
      var r6 = shared0[0u];
      for (var k7 = 1u; k7 < 8u; k7 += 1u) {
        r6 = r6 + shared0[k7];
      }
      if (lane == 0u) {
        b1[group] = r6;
      }
    }

    // at the level subgroups
    enable subgroups;
    @compute @workgroup_size(128)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let i2 = group * 256u;
      var r0 = vec4<f32>(0f);
      for (var k1 = lane; k1 < 256u; k1 += 128u) {
        r0 = r0 + b0[i2 + k1];
      }
      let r3 = (r0.x + r0.y) + (r0.z + r0.w);
      var r4 = r3;
      r4 = r4 + subgroupShuffleXor(r4, 1u);
      // 4 more
      if (lane % 32u == 0u) {
        shared0[lane / 32u] = r4;
      }
      workgroupBarrier();
      var r5 = shared0[0u];
      for (var k6 = 1u; k6 < 4u; k6 += 1u) {
        r5 = r5 + shared0[k6];
      }
      if (lane == 0u) {
        b1[group] = r5;
      }
    }

    // at the level everything
    enable subgroups;
    enable subgroup_size_control;
    @compute @workgroup_size(128) @subgroup_size(32)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let i2 = group * 256u;
      var r0 = vec4<f32>(0f);
      for (var k1 = lane; k1 < 256u; k1 += 128u) {
        r0 = r0 + b0[i2 + k1];
      }
      let r3 = (r0.x + r0.y) + (r0.z + r0.w);
      var r4 = r3;
      r4 = r4 + subgroupShuffleXor(r4, 1u);
      // 4 more
      if (lane % 32u == 0u) {
        shared0[lane / 32u] = r4;
      }
      workgroupBarrier();
      var r5 = shared0[0u];
      for (var k6 = 1u; k6 < 4u; k6 += 1u) {
        r5 = r5 + shared0[k6];
      }
      if (lane == 0u) {
        b1[group] = r5;
      }
    }"
  `);
});

it('reduction of columns', async () => {
  expect(await codesByLevel(given([40, 512]).sum(0))).toMatchInlineSnapshot(`
    "// at the level baseline, subgroups, everything
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let point = group * 64u + lane;
      var r0 = vec4<f32>(0f);
      for (var k1 = 0u; k1 < 40u; k1++) {
        r0 = r0 + b0[point + (k1 * 128u)];
      }
      b1[point] = r0;
    }"
  `);
});

it('row kernel: a barrier for each of two reductions instead of five in all', async () => {
  const barriers = (text: string) => text.split('\n\n').map((code) => code.match(/workgroupBarrier/g)!.length);
  expect(barriers(await codesByLevel(given([4, 1024]).softmax(1)))).toEqual([5, 2, 2]);
});

it('gather', async () => {
  expect(await codesByLevel(given([100, 4]).indexSelect(0, given([8], 'i32')))).toMatchInlineSnapshot(`
    "// at the level baseline, subgroups, everything
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
      let group = workgroup.x;
      let point = group * 64u + lane;
      if (point >= 32u) { return; }
      let i0 = point >> 2u;
      let t1 = b0[i0];
      let i2 = point & 3u;
      b2[point] = select(tl_f32(2143289344u), b1[min((bitcast<u32>(t1) * 4u + i2), 399u)], bitcast<u32>(t1) < 100u);
    }"
  `);
});
