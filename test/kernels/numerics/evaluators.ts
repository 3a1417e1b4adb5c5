/** Ways to run a function of the kernel IR on words: in JavaScript, and rendered to WGSL for single values and for vec4s. */
import type { Expr } from '../../../kernels/ir.js';
import type { NumericFn } from '../../../kernels/numerics/index.js';
import { renderLoopKernel } from '../../../kernels/render/index.js';
import type { WordDType } from '../../../src/graph/index.js';
import { iv, kernelOf, load, store, variable } from '../build.js';
import type { DawnDevice } from '../dawn.js';
import { compile } from './evaluate.js';

/** Reads words of a dtype as numbers. */
export function decode(words: Uint32Array, dtype: WordDType): number[] {
  const { buffer, byteOffset, length } = words;
  if (dtype === 'f32') return [...new Float32Array(buffer, byteOffset, length)];
  return dtype === 'i32' ? [...new Int32Array(buffer, byteOffset, length)] : [...words];
}

export const encodeFloats = (values: readonly number[]): Uint32Array =>
  new Uint32Array(Float32Array.from(values).buffer);

/** Applies `fn` in JavaScript, every operation rounded to f32. */
export function applyInScript(fn: NumericFn, types: readonly WordDType[], operands: readonly Uint32Array[]): number[] {
  const run = compile(fn);
  const numbers = operands.map((words, i) => decode(words, types[i]!));
  const result: number[] = [];
  for (let i = 0; i < operands[0]!.length; i++) {
    const args = numbers.map((values, n) =>
      types[n] === 'bool' ? ((values[i] !== 0) as unknown as number) : values[i]!,
    );
    result.push(Number(run(...args)));
  }
  return result;
}

/** Applies an expression of loads on a device. */
export async function applyOnDevice(
  device: DawnDevice,
  build: (...operands: Expr[]) => Expr,
  types: readonly WordDType[],
  operands: readonly Uint32Array[],
  vectors: boolean,
): Promise<number[]> {
  const length = Math.ceil(operands[0]!.length / 4) * 4;
  const i = variable('i', length);
  const value = build(...types.map((dtype, n) => load(n, iv(i), dtype)));
  const out = types.length;
  const kernel = kernelOf(
    [...types.map((dtype) => [dtype, length] as const), [value.dtype, length, 'write']],
    [{ parallel: [i], body: [store(out, iv(i), value)] }],
  );
  const vector = vectors ? 'parallel' : 'none';
  const { code, workgroups } = renderLoopKernel(kernel, { workgroupSize: 64, segments: [{ lanes: 1, vector }] });
  const padded = operands.map((words) => {
    const all = new Uint32Array(length);
    all.set(words);
    return all;
  });
  const buffers = [...padded, new Uint32Array(length)].map((words, binding) => ({ binding, words }));
  const results = await device.run({ code, workgroups, buffers });
  return decode(results[out]!, value.dtype).slice(0, operands[0]!.length);
}
