{{features}}
{{declarations}}
{{helpers}}
// Each invocation keeps a tile of sums in registers and reads its operands from storage: no barrier.
@compute @workgroup_size({{size}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  {{place}}
  {{hoisted}}
  {{sums}}
  {{loop}}
  {{rest}}
  {{epilogue}}
}
