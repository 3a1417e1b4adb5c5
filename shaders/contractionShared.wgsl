{{declarations}}
{{helpers}}
var<workgroup> tileA: array<vec4<{{type}}>, {{sizeA}}>;
var<workgroup> tileB: array<vec4<{{type}}>, {{sizeB}}>;
{{layerSums}}
// The workgroup stages one tile of each operand at a time; each invocation multiplies its rows of one with its rows of the other.
@compute @workgroup_size({{sizeX}}, {{sizeY}}, {{layers}})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
  {{place}}
  let worker = local.y * {{sizeX}}u + local.x;
  let layer = local.z;
  {{hoisted}}
  {{sums}}
  for (var stage = 0u; stage < {{stages}}u; stage++) {
    let k0 = (stage * {{layers}}u + layer) * {{ku}}u;
    {{stageA}}
    {{stageB}}
    workgroupBarrier();
    for (var quarter = 0u; quarter < {{quarters}}u; quarter++) {
      {{multiply}}
    }
    workgroupBarrier();
  }
  {{combine}}
  {{epilogue}}
}
