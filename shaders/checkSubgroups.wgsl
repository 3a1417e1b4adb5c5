{{directives}}
@group(0) @binding(0) var<storage, read_write> counts: array<atomic<u32>, 2>;
@compute @workgroup_size({{workgroup}}){{attribute}}
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) size: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let number = group.x * {{workgroup}}u + lane;
  let negative = -i32(number);
  let fraction = f32(number) + 0.5f;
  var wrong = u32(size != {{size}}u) + u32(place != lane % {{size}}u);
  // Invocations that took a loop of different lengths meet again after it.
  var spent = 0u;
  for (var i = 0u; i < lane % 7u; i++) { spent += number; }
  wrong += u32(spent != number * (lane % 7u));
  {{shuffles}}
  // Who does nothing must not pass.
  atomicAdd(&counts[1], 1u);
  if (wrong > 0u) { atomicAdd(&counts[0], wrong); }
}
