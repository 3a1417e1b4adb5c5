import { rowMajorStrides, sizeOf, type TypedArray } from '../../src/graph/index.js';
import { decode, type OracleCase } from './fixtures.js';

/**
 * Kernels may take a subnormal input for a zero of its sign. The fixtures with such inputs have those zeros too: the results there are
 * right for the subnormal. For elementwise cases only, whose inputs broadcast to the shape of the output.
 */
export function resultsOfFlushedInputs(oracle: OracleCase): TypedArray[] {
  const [output] = oracle.outputs;
  if (output === undefined) return [];
  const { shape } = output;
  const golden = decode(output);
  const axes = oracle.inputs.map((input) => input.shape.findIndex((d) => d !== 1));
  const elementwise = oracle.inputs.every(
    (input, i) =>
      input.shape.length === shape.length &&
      input.shape.every((d, axis) => d === 1 || (axis === axes[i] && d === shape[axis])),
  );
  const replacements = oracle.inputs.map((input) => zerosForSubnormals(decode(input)));
  if (!elementwise || replacements.every((places) => places === null)) return [];

  const strides = rowMajorStrides(shape);
  const results: TypedArray[] = [];
  for (let chosen = 1; chosen < 2 ** oracle.inputs.length; chosen++) {
    const result = golden.slice();
    for (let flat = 0; flat < sizeOf(shape); flat++) {
      let source = flat;
      replacements.forEach((places, i) => {
        if (places === null || !((chosen >> i) & 1)) return;
        const stride = strides[axes[i]!]!;
        const at = Math.floor(flat / stride) % shape[axes[i]!]!;
        source += (places[at]! - at) * stride;
      });
      result[flat] = golden[source]!;
    }
    results.push(result);
  }
  return results;
}

/** For each element its own place, or for a subnormal that of the zero of its sign; null where there are none of either. */
function zerosForSubnormals(values: TypedArray): number[] | null {
  if (!(values instanceof Float32Array)) return null;
  const subnormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;
  const zeros = { plus: values.findIndex((x) => Object.is(x, 0)), minus: values.findIndex((x) => Object.is(x, -0)) };
  if (!values.some(subnormal) || zeros.plus < 0 || zeros.minus < 0) return null;
  return [...values].map((x, i) => (subnormal(x) ? (x < 0 ? zeros.minus : zeros.plus) : i));
}
