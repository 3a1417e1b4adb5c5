import { expect, it } from 'vitest';
import { WgslModule } from '../../kernels/render/wgsl-module.js';
import { kernelOf } from './build.js';

it('makes names that hide no type', () => {
  const module = new WgslModule(kernelOf([], []));
  const names = Array.from({ length: 100 }, () => module.fresh('i'));
  expect(new Set(names).size).toBe(100);
  expect(names).not.toContain('i32');
});
