/** What contractions and convolutions become at each level of what GPUs have: a change of a renderer shows here, line by line. */
import * as tl from 'tiller';
import { beforeAll, expect, it } from 'vitest';
import { codesByLevel, given } from './codesByLevel.js';

beforeAll(() => tl.init({ engine: 'plan-only' }));

it('contraction, in f32 and too small for matrix units', async () => {
  expect(
    await codesByLevel(
      given([12, 40])
        .matmul(given([40, 20]))
        .relu(),
    ),
  ).toMatchInlineSnapshot(`
    "// at the level baseline, subgroups, everything
    @compute @workgroup_size(8, 4, 1)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
      let tileX = group.x;
      let tileY = group.y;
      let batch = group.z;
      let m0 = (tileY * 4u + local.y) * 4u;
      let n0 = (tileX * 8u + local.x) * 4u;
      let worker = local.y * 8u + local.x;
      let layer = local.z;
      var c0_0 = 0f; var c0_1 = 0f; var c0_2 = 0f; var c0_3 = 0f;
      // 3 more
      for (var stage = 0u; stage < 2u; stage++) {
        let k0 = (stage * 1u + layer) * 32u;
        for (var cell = worker; cell < 128u; cell += 32u) {
          let row = tileY * 16u + cell / 8u;
          let k = k0 + (cell % 8u) * 4u;
          let aRow = min(row + 0u, 11u);
          let aK = min(k + 0u, 36u);
          let i0 = aRow * 10u;
          tileA[cell + cell / 8u] = select(vec4<f32>(), b0[i0 + (aK >> 2u)], k < 40u);
        }
        for (var cell = worker; cell < 256u; cell += 32u) {
          let row = tileX * 32u + (cell % 8u) * 4u;
          let k = k0 + cell / 8u;
          let bRow = min(row + 0u, 16u);
          let bK = min(k + 0u, 39u);
          let bK_0 = bK * 20u;
          let i1 = bRow + bK_0;
          let t2 = vec4<f32>(b1[i1], b1[i1 + 1u], b1[i1 + 2u], b1[i1 + 3u]);
          tileB[cell] = select(vec4<f32>(), t2, k < 40u);
        }
        workgroupBarrier();
        for (var quarter = 0u; quarter < 8u; quarter++) {
          let left0 = tileA[(local.y * 4u + 0u) * 9u + quarter];
          // 3 more
          let right0_0 = tileB[(quarter * 4u + 0u) * 8u + local.x * 1u + 0u];
          // 3 more
          c0_0 += left0.x * right0_0.x;
          // 63 more
        }
        workgroupBarrier();
      }
      if (m0 + 0u < 12u) {
        let i3 = (m0 + 0u) * 5u;
        if (n0 + 0u < 20u) {
          b2[i3 + ((n0 + 0u) >> 2u)] = select(vec4(c0_0, c0_1, c0_2, c0_3), vec4<f32>(0f), (vec4(c0_0, c0_1, c0_2, c0_3) <= vec4<f32>(0f)));
        }
      }
      if (m0 + 1u < 12u) {
        let i4 = (m0 + 1u) * 5u;
        if (n0 + 0u < 20u) {
          b2[i4 + ((n0 + 0u) >> 2u)] = select(vec4(c1_0, c1_1, c1_2, c1_3), vec4<f32>(0f), (vec4(c1_0, c1_1, c1_2, c1_3) <= vec4<f32>(0f)));
        }
      }
      if (m0 + 2u < 12u) {
        let i5 = (m0 + 2u) * 5u;
        if (n0 + 0u < 20u) {
          b2[i5 + ((n0 + 0u) >> 2u)] = select(vec4(c2_0, c2_1, c2_2, c2_3), vec4<f32>(0f), (vec4(c2_0, c2_1, c2_2, c2_3) <= vec4<f32>(0f)));
        }
      }
      if (m0 + 3u < 12u) {
        let i6 = (m0 + 3u) * 5u;
        if (n0 + 0u < 20u) {
          b2[i6 + ((n0 + 0u) >> 2u)] = select(vec4(c3_0, c3_1, c3_2, c3_3), vec4<f32>(0f), (vec4(c3_0, c3_1, c3_2, c3_3) <= vec4<f32>(0f)));
        }
      }
    }"
  `);
});

it('contraction of f16 on matrix units', async () => {
  expect(
    await codesByLevel(
      given([33, 40], 'f16')
        .matmul(given([40, 36], 'f16'))
        .float(),
      ['everything'],
    ),
  ).toMatchInlineSnapshot(`
    "// at the level everything
    enable f16;
    enable chromium_experimental_subgroup_matrix;
    enable subgroups;
    enable subgroup_size_control;
    fn tl_own_half_value(a0: u32) -> f32 { return f32(bitcast<vec2<f16>>(a0).x); }
    @compute @workgroup_size(32) @subgroup_size(32)
    fn main(
      @builtin(workgroup_id) group: vec3<u32>,
      @builtin(local_invocation_index) lane: u32,
      @builtin(subgroup_id) subgroup: u32,
    ) {
      let tileX = group.x;
      let tileY = group.y;
      let batch = group.z;
      let m0 = tileY * 16u;
      let n0 = tileX * 16u;
      let rowA = subgroup / 1u * 16u;
      let columnB = subgroup % 1u * 16u;
      var c0_0: subgroup_matrix_result<f32, 16, 16>;
      for (var k0 = 0u; k0 < 40u; k0 += 32u) {
        for (var cell = lane; cell < 512u; cell += 32u) {
          let row = cell / 32u;
          let k = cell % 32u;
          let aRow = min(m0 + row, 32u);
          let aK = min(k0 + k, 39u);
          let i1 = aRow * 20u;
          let i0 = aK & 1u;
          let aK_0 = aK >> 1u;
          let t2 = b0[i1 + aK_0];
          let t3 = tl_shiftRight_u32(t2, (i0 * 16u));
          let t4 = tl_own_half_value(t3);
          tileA[row * 32u + k] = f16(select(0f, t4, k0 + k < 40u));
        }
        for (var cell = lane; cell < 512u; cell += 32u) {
          let row = cell % 16u;
          let k = cell / 16u;
          let bRow = min(n0 + row, 35u);
          let bK = min(k0 + k, 39u);
          let i5 = bRow >> 1u;
          let i7 = bRow & 1u;
          let t8 = i7 * 16u;
          let bK_0 = bK * 18u;
          let t6 = b1[i5 + bK_0];
          let t9 = tl_shiftRight_u32(t6, t8);
          let t10 = tl_own_half_value(t9);
          tileB[k * 16u + row] = f16(select(0f, t10, k0 + k < 40u));
        }
        workgroupBarrier();
        for (var kk = 0u; kk < 32u; kk += 16u) {
          let left0 = subgroupMatrixLoad<subgroup_matrix_left<f16, 16, 16>, row_major>(&tileA, (rowA + 0u) * 32u + kk, 32u);
          let right0 = subgroupMatrixLoad<subgroup_matrix_right<f16, 16, 16>, row_major>(&tileB, kk * 16u + columnB + 0u, 16u);
          c0_0 = subgroupMatrixMultiplyAccumulate(left0, right0, c0_0);
        }
        workgroupBarrier();
      }
      // Results leave by way of workgroup memory, where any invocation can read them: one row of matrices after the other.
      for (var strip = 0u; strip < 1u; strip++) {
        switch (strip) {
          default: {
            subgroupMatrixStore<row_major>(&sums, subgroup * 256u + 0u, c0_0, 16u);
          }
        }
        workgroupBarrier();
        for (var cell = lane * 4u; cell < 256u; cell += 128u) {
          let owner = cell / 256u;
          let m = m0 + owner / 1u * 16u + strip * 16u + cell % 256u / 16u;
          let n = n0 + owner % 1u * 16u + cell % 16u;
          if (m < 33u && n < 36u) {
            let result = vec4(sums[cell], sums[cell + 1u], sums[cell + 2u], sums[cell + 3u]);
            b2[m * 9u + (n >> 2u)] = result;
          }
        }
        workgroupBarrier();
      }
    }"
  `);
});

it('convolution', async () => {
  expect(await codesByLevel(tl.conv2d(given([1, 2, 8, 8]), given([4, 2, 3, 3])))).toMatchInlineSnapshot(`
    "// at the level baseline, subgroups, everything
    @compute @workgroup_size(8, 4, 1)
    fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
      let tileX = group.x;
      let tileY = group.y;
      let batch = group.z;
      let m0 = (tileY * 4u + local.y) * 4u;
      let n0 = (tileX * 8u + local.x) * 4u;
      let worker = local.y * 8u + local.x;
      let layer = local.z;
      var c0_0 = 0f; var c0_1 = 0f; var c0_2 = 0f; var c0_3 = 0f;
      // 3 more
      for (var stage = 0u; stage < 1u; stage++) {
        let k0 = (stage * 1u + layer) * 32u;
        for (var cell = worker; cell < 128u; cell += 32u) {
          let row = tileY * 16u + cell / 8u;
          let k = k0 + (cell % 8u) * 4u;
          let aRow0 = min(row + 0u, 3u);
          let aK0 = min(k + 0u, 17u);
          let i0 = aRow0 * 18u;
          let t1 = b1[i0 + aK0];
          let aRow1 = min(row + 0u, 3u);
          let aK1 = min(k + 1u, 17u);
          let i2 = aRow1 * 18u;
          let t3 = b1[i2 + aK1];
          let aRow2 = min(row + 0u, 3u);
          let aK2 = min(k + 2u, 17u);
          let i4 = aRow2 * 18u;
          let t5 = b1[i4 + aK2];
          let aRow3 = min(row + 0u, 3u);
          let aK3 = min(k + 3u, 17u);
          let i6 = aRow3 * 18u;
          let t7 = b1[i6 + aK3];
          tileA[cell + cell / 8u] = vec4<f32>(select(0f, t1, k + 0u < 18u), select(0f, t3, k + 1u < 18u), select(0f, t5, k + 2u < 18u), select(0f, t7, k + 3u < 18u));
        }
        for (var cell = worker; cell < 256u; cell += 32u) {
          let row = tileX * 32u + (cell % 8u) * 4u;
          let k = k0 + cell / 8u;
          let bRow0 = min(row + 0u, 35u);
          let bK0 = min(k + 0u, 17u);
          let i8 = (bRow0 * 43u) >> 8u;
          let i9 = bRow0 - i8 * 6u;
          let i10 = i8 * 8u + i9;
          let bK0_0 = (bK0 * 15u) >> 7u;
          let bK0_1 = bK0_0 * 64u;
          let bK0_2 = (bK0 * 11u) >> 5u;
          let bK0_3 = (bK0_2 * 3u) >> 3u;
          let bK0_4 = bK0_2 - bK0_3 * 3u;
          let bK0_5 = bK0_4 * 8u;
          let bK0_6 = bK0_1 + bK0_5;
          let bK0_7 = bK0 - bK0_2 * 3u;
          let bK0_8 = bK0_6 + bK0_7;
          let t11 = b0[i10 + bK0_8];
          let bRow1 = min(row + 1u, 35u);
          let bK1 = min(k + 0u, 17u);
          let i12 = (bRow1 * 43u) >> 8u;
          let i13 = bRow1 - i12 * 6u;
          let i14 = i12 * 8u + i13;
          let bK1_0 = (bK1 * 15u) >> 7u;
          let bK1_1 = bK1_0 * 64u;
          let bK1_2 = (bK1 * 11u) >> 5u;
          let bK1_3 = (bK1_2 * 3u) >> 3u;
          let bK1_4 = bK1_2 - bK1_3 * 3u;
          let bK1_5 = bK1_4 * 8u;
          let bK1_6 = bK1_1 + bK1_5;
          let bK1_7 = bK1 - bK1_2 * 3u;
          let bK1_8 = bK1_6 + bK1_7;
          let t15 = b0[i14 + bK1_8];
          let bRow2 = min(row + 2u, 35u);
          let bK2 = min(k + 0u, 17u);
          let i16 = (bRow2 * 43u) >> 8u;
          let i17 = bRow2 - i16 * 6u;
          let i18 = i16 * 8u + i17;
          let bK2_0 = (bK2 * 15u) >> 7u;
          let bK2_1 = bK2_0 * 64u;
          let bK2_2 = (bK2 * 11u) >> 5u;
          let bK2_3 = (bK2_2 * 3u) >> 3u;
          let bK2_4 = bK2_2 - bK2_3 * 3u;
          let bK2_5 = bK2_4 * 8u;
          let bK2_6 = bK2_1 + bK2_5;
          let bK2_7 = bK2 - bK2_2 * 3u;
          let bK2_8 = bK2_6 + bK2_7;
          let t19 = b0[i18 + bK2_8];
          let bRow3 = min(row + 3u, 35u);
          let bK3 = min(k + 0u, 17u);
          let i20 = (bRow3 * 43u) >> 8u;
          let i21 = bRow3 - i20 * 6u;
          let i22 = i20 * 8u + i21;
          let bK3_0 = (bK3 * 15u) >> 7u;
          let bK3_1 = bK3_0 * 64u;
          let bK3_2 = (bK3 * 11u) >> 5u;
          let bK3_3 = (bK3_2 * 3u) >> 3u;
          let bK3_4 = bK3_2 - bK3_3 * 3u;
          let bK3_5 = bK3_4 * 8u;
          let bK3_6 = bK3_1 + bK3_5;
          let bK3_7 = bK3 - bK3_2 * 3u;
          let bK3_8 = bK3_6 + bK3_7;
          let t23 = b0[i22 + bK3_8];
          tileB[cell] = vec4<f32>(select(0f, t11, k < 18u), select(0f, t15, k < 18u), select(0f, t19, k < 18u), select(0f, t23, k < 18u));
        }
        workgroupBarrier();
        for (var quarter = 0u; quarter < 8u; quarter++) {
          let left0 = tileA[(local.y * 4u + 0u) * 9u + quarter];
          // 3 more
          let right0_0 = tileB[(quarter * 4u + 0u) * 8u + local.x * 1u + 0u];
          // 3 more
          c0_0 += left0.x * right0_0.x;
          // 63 more
        }
        workgroupBarrier();
      }
      if (m0 + 0u < 4u) {
        let i24 = (m0 + 0u) * 9u;
        if (n0 + 0u < 36u) {
          b2[i24 + ((n0 + 0u) >> 2u)] = vec4(c0_0, c0_1, c0_2, c0_3);
        }
      }
      if (m0 + 1u < 4u) {
        let i25 = (m0 + 1u) * 9u;
        if (n0 + 0u < 36u) {
          b2[i25 + ((n0 + 0u) >> 2u)] = vec4(c1_0, c1_1, c1_2, c1_3);
        }
      }
      if (m0 + 2u < 4u) {
        let i26 = (m0 + 2u) * 9u;
        if (n0 + 0u < 36u) {
          b2[i26 + ((n0 + 0u) >> 2u)] = vec4(c2_0, c2_1, c2_2, c2_3);
        }
      }
      if (m0 + 3u < 4u) {
        let i27 = (m0 + 3u) * 9u;
        if (n0 + 0u < 36u) {
          b2[i27 + ((n0 + 0u) >> 2u)] = vec4(c3_0, c3_1, c3_2, c3_3);
        }
      }
    }"
  `);
});
