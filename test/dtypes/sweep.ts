import { sizeOf, type TypedArray } from '../../src/graph/index.js';
import * as tl from '../../src/index.js';
import { callCase, outputsOf, tensorOf } from '../oracle/cases.js';
import { FIXTURES, loadCases, type OracleCase } from '../oracle/fixtures.js';

/** All fixtures but those of tiller/linalg, which refuses f16, and tiller/fft, which gives f32. */
export const SWEPT = FIXTURES.filter(
  (name) => !['linalg', 'eigenvalues', 'spectra', 'signals', 'packed'].includes(name),
);

export interface Values {
  readonly dtypes: readonly tl.DType[];
  readonly outputs: readonly TypedArray[];
}

/** Runs a case with every f32 input rounded to f16: as f16 tensors, or as f32 tensors of those numbers. */
export async function runRounded(oracle: OracleCase, dtype: 'f16' | 'f32'): Promise<Values> {
  const inputs = oracle.inputs.map((input) => {
    const x = tensorOf(input);
    return x.dtype !== 'f32' ? x : tl.cast(tl.half(x), dtype);
  });
  const outputs = outputsOf(await callCase(oracle, inputs));
  return { dtypes: outputs.map((x) => x.dtype), outputs: await Promise.all(outputs.map((x) => x.data())) };
}

/** Cases with a float among their inputs and elements to compare. */
export const casesOf = (fixture: string): OracleCase[] =>
  loadCases(fixture).filter(
    ({ op, inputs, outputs }) =>
      op !== 'cast' && inputs.some((x) => x.dtype === 'f32') && outputs.some((x) => sizeOf(x.shape) > 0),
  );

const LARGEST = 65504;

/** Where f16 results differ from those of f32 arithmetic on the same numbers by more than roundings of f16; null where they do not. */
export function differenceOf(half: Values, full: Values, ulps: number): string | null {
  for (const [i, expected] of full.outputs.entries()) {
    const want = full.dtypes[i] === 'f32' ? 'f16' : full.dtypes[i];
    if (half.dtypes[i] !== want) return `output ${i} is ${half.dtypes[i]} (expected ${want})`;
    const actual = half.outputs[i]!;
    const largest = Array.from(expected).reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
    for (let k = 0; k < expected.length; k++) {
      const [a, b] = [actual[k]!, expected[k]!];
      if (Object.is(a, b) || a === b || Math.abs(b) > LARGEST) continue;
      const near = want === 'f16' && Math.abs(a - b) <= ulps * 2 ** -11 * Math.max(Math.abs(b), largest / 16, 2 ** -14);
      if (!near) return `element ${k} of output ${i} is ${a} (expected ${b})`;
    }
  }
  return null;
}
