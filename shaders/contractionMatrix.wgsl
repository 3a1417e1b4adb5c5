{{declarations}}
{{helpers}}
var<workgroup> tileA: array<{{type}}, {{sizeA}}>;
var<workgroup> tileB: array<{{type}}, {{sizeB}}>;
var<workgroup> sums: array<f32, {{sizeSums}}>;
// The workgroup stages a tile of each operand; each subgroup multiplies its rows of one with its columns of the other, as whole matrices.
@compute @workgroup_size({{threads}}){{attribute}}
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  {{place}}
  let rowA = subgroup / {{across}}u * {{rows}}u;
  let columnB = subgroup % {{across}}u * {{columns}}u;
  {{hoisted}}
  {{results}}
  for (var k0 = 0u; k0 < {{steps}}u; k0 += {{depth}}u) {
    {{stageA}}
    {{stageB}}
    workgroupBarrier();
    for (var kk = 0u; kk < {{depth}}u; kk += {{k}}u) {
      {{multiply}}
    }
    workgroupBarrier();
  }
  // Results leave by way of workgroup memory, where any invocation can read them: one row of matrices after the other.
  for (var strip = 0u; strip < {{strips}}u; strip++) {
    switch (strip) {
      {{storeStrips}}
    }
    workgroupBarrier();
    for (var cell = lane * {{width}}u; cell < {{sizeSums}}u; cell += {{stride}}u) {
      let owner = cell / {{stripCells}}u;
      let m = m0 + owner / {{across}}u * {{rows}}u + strip * {{m}}u + cell % {{stripCells}}u / {{columns}}u;
      let n = n0 + owner % {{across}}u * {{columns}}u + cell % {{columns}}u;
      if (m < {{extentM}}u && n < {{extentN}}u) {
        {{epilogue}}
      }
    }
    workgroupBarrier();
  }
}
