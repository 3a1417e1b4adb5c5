/**
 * Rewrites WGSL that multiplies subgroup matrices so that any adapter with subgroups of `size` runs it: an operand is where it was loaded from,
 * a result is spread over the invocations of the subgroup, one element after the other, and f16 becomes f32.
 */
export function emulateMatrices(code: string, size: number, { m, n, k }: { m: number; n: number; k: number }): string {
  const own = (m * n) / size;
  const emulation = `fn multiply(lane: u32, a: vec2<u32>, b: vec2<u32>, c: ptr<function, array<f32, ${own}>>) {
  for (var i = 0u; i < ${own}u; i++) {
    let cell = i * ${size}u + lane % ${size}u;
    var sum = (*c)[i];
    for (var j = 0u; j < ${k}u; j++) {
      sum += tileA[a.x + cell / ${n}u * a.y + j] * tileB[b.x + j * b.y + cell % ${n}u];
    }
    (*c)[i] = sum;
  }
}
fn store(lane: u32, offset: u32, c: ptr<function, array<f32, ${own}>>, stride: u32) {
  for (var i = 0u; i < ${own}u; i++) {
    let cell = i * ${size}u + lane % ${size}u;
    sums[offset + cell / ${n}u * stride + cell % ${n}u] = (*c)[i];
  }
}
`;
  // A matrix of the wrong kind or shape is not replaced, and does not compile.
  const load = (kind: string, columns: number, rows: number, tile: string) =>
    new RegExp(`subgroupMatrixLoad<subgroup_matrix_${kind}<f\\d+, ${columns}, ${rows}>, row_major>\\(&${tile}, `, 'g');
  return code
    .replace(/enable (f16|chromium_experimental_subgroup_matrix);\n/g, '')
    .replace(load('left', k, m, 'tileA'), 'vec2<u32>(')
    .replace(load('right', n, k, 'tileB'), 'vec2<u32>(')
    .replaceAll(`subgroup_matrix_result<f32, ${n}, ${m}>`, `array<f32, ${own}>`)
    .replace(/(c\d+_\d+) = subgroupMatrixMultiplyAccumulate\((\w+), (\w+), \1\)/g, 'multiply(lane, $2, $3, &$1)')
    .replace(/subgroupMatrixStore<row_major>\(&sums, (.*), (c\d+_\d+), /g, 'store(lane, $1, &$2, ')
    .replaceAll('array<f16,', 'array<f32,')
    .replaceAll('= f16(', '= f32(')
    .replace('@compute', `${emulation}@compute`);
}
