import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { brokenRules, importsOf, LAYERS, MAX_LINES } from '../../scripts/structure.mjs';

describe('layer rule', () => {
  it('lets a layer import the ones below it and itself', () => {
    const source = `
      import { Tensor } from '../tensor/tensor.js';
      import type { Node } from '../graph/node.js';
      import { Module } from './module.js';
      export { relu } from '../tensor/ops.js';
    `;
    expect(brokenRules('src/nn/linear.ts', source)).toEqual([]);
  });

  it.each([
    ['an import', `import { Tensor } from '../tensor/tensor.js';`],
    ['an import over several lines', `import {\n  Tensor,\n  type Shape,\n} from '../tensor/tensor.js';`],
    ['a default and a namespace import', `import tensor, * as all from '../tensor/tensor.js';`],
    ['an import for its effect', `import '../tensor/tensor.js';`],
    ['a type import', `import type { Tensor } from '../tensor/tensor.js';`],
    ['a re-export', `export * from '../tensor/tensor.js';`],
    ['a named re-export', `export { Tensor } from '../tensor/tensor.js';`],
    ['a type re-export', `export type { Tensor } from '../tensor/tensor.js';`],
    ['a dynamic import', `const { Tensor } = await import('../tensor/tensor.js');`],
    ['an import() type', `let x: import('../tensor/tensor.js').Tensor;`],
  ])('refuses %s from above', (_, source) => {
    const problems = brokenRules('src/graph/node.ts', `const before = 1;\n${source}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^src\/graph\/node\.ts:2: imports '\.\.\/tensor\/tensor\.js': src\/graph may import only itself$/,
    );
  });

  it('refuses imports between neighbours of one layer', () => {
    expect(brokenRules('src/autograd/grad.ts', `import { x } from '../../kernels/ir.js';`)).toHaveLength(1);
    expect(brokenRules('kernels/families/matmul.ts', `import { x } from '../../src/autograd/grad.js';`)).toHaveLength(
      1,
    );
    expect(brokenRules('src/nn/linear.ts', `import { x } from '../optim/sgd.js';`)).toHaveLength(1);
  });

  it('knows how deep a file lies', () => {
    const source = `import text from '../../../shaders/matmul.wgsl';\nimport { ir } from '../../../kernels/ir.js';`;
    expect(brokenRules('src/engine/webgpu/matmul.ts', source)).toEqual([]);
    expect(brokenRules('src/engine/webgpu/matmul.ts', `import { plan } from '../../compile/plan.js';`)).toHaveLength(1);
  });

  it('does not take a comment for an import', () => {
    const source = `/**\n * import { Tensor } from '../tensor/tensor.js';\n */\n// import '../tensor/tensor.js'\n`;
    expect(importsOf(source)).toEqual([]);
  });

  it('refuses files and targets of no layer', () => {
    expect(brokenRules('src/utils/misc.ts', '')).toEqual([expect.stringContaining('belongs to no layer')]);
    expect(brokenRules('src/nn/linear.ts', `import { x } from '../misc.js';`)).toEqual([
      expect.stringContaining('src/misc.ts belongs to no layer'),
    ]);
  });

  it('keeps packages and node: modules out of what a browser loads', () => {
    expect(brokenRules('src/formats/file.ts', `import { readFile } from 'node:fs/promises';`)).toHaveLength(1);
    expect(brokenRules('src/formats/file.ts', `const fs = await import('node:fs/promises');`)).toEqual([]);
    expect(brokenRules('src/cli/doctor.ts', `import { readFile } from 'node:fs/promises';`)).toEqual([]);
    expect(brokenRules('src/nn/linear.ts', `import { Tensor } from 'tiller';`)).toHaveLength(1);
  });

  it('has a row for every folder of src', () => {
    const src = fileURLToPath(new URL('../../src', import.meta.url));
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) expect(Object.keys(LAYERS)).toContain(`src/${name}`);
  });
});

describe('length rule', () => {
  it(`refuses more than ${MAX_LINES} lines`, () => {
    const lines = (count: number) => Array(count).fill('//').join('\n');
    expect(brokenRules('src/graph/node.ts', lines(MAX_LINES))).toEqual([]);
    expect(brokenRules('src/graph/node.ts', lines(MAX_LINES + 1))).toHaveLength(1);
  });
});
