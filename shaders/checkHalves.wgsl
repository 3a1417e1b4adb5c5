{{directives}}
@group(0) @binding(0) var<storage, read_write> wrong: array<atomic<u32>, 3>;
{{helpers}}
// How many components differ, where every NaN is the same as another.
fn differences(a: vec4<u32>, b: vec4<u32>, sign: u32, infinity: u32) -> u32 {
  let nans = ((a & vec4(sign - 1u)) > vec4(infinity)) & ((b & vec4(sign - 1u)) > vec4(infinity));
  let counts = select(vec4(1u), vec4(0u), (a == b) | nans);
  return counts.x + counts.y + counts.z + counts.w;
}
// One invocation for each of the 65,536 halves.
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let half = id.x;
  let value = {{value}};
  let four = vec4(half, half ^ 1u, half ^ 0x3c005a5au, half ^ 0xffff8000u);
  let values = vec4({{values}});
  let sign = half & 0x8000u;
  let next = {{next}};
  // Between the largest number and infinity lies 65520, the first number that overflows.
  let middle = select((value + next) * 0.5, select(65520f, -65520f, sign != 0u), (half & 0x7fffu) == 0x7bffu);
  let bits = bitcast<u32>(middle);
  // The number itself, the middle to the next one, and the f32 numbers on either side of it.
  let probes = vec4(value, middle, bitcast<f32>(bits - 1u), bitcast<f32>(bits + 1u));
  let rounded = vec4({{rounded}});
  let values32 = differences(bitcast<vec4<u32>>(values), bitcast<vec4<u32>>({{ownValues}}), 0x80000000u, 0x7f800000u)
    + differences(bitcast<vec4<u32>>(vec4(value)), bitcast<vec4<u32>>(vec4({{ownValue}})), 0x80000000u, 0x7f800000u);
  let bits16 = differences(rounded, {{ownRounded}}, 0x8000u, 0x7c00u)
    + differences(rounded, vec4({{ownRoundedEach}}), 0x8000u, 0x7c00u);
  let back = {{back}};
  let back32 = differences(bitcast<vec4<u32>>(back), bitcast<vec4<u32>>({{ownBack}}), 0x80000000u, 0x7f800000u)
    + differences(bitcast<vec4<u32>>(back), bitcast<vec4<u32>>(vec4({{ownBackEach}})), 0x80000000u, 0x7f800000u);
  // Who does nothing must not pass.
  atomicAdd(&wrong[2], 1u);
  if (values32 > 0u) { atomicAdd(&wrong[0], values32); }
  if (bits16 + back32 > 0u) { atomicAdd(&wrong[1], bits16 + back32); }
}
