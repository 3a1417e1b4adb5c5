import { showShape } from '../../src/graph/index.js';
import type { CaseResult } from './cases.js';
import { type EngineKind, mismatch } from './compare.js';
import { decode, type OracleCase } from './fixtures.js';
import { resultsOfFlushedInputs } from './subnormals.js';
import { gradientToleranceOf, TOLERANCES, toleranceOf } from './tolerances.js';

/** Everything that is wrong with the results of a case: empty where nothing is. */
export function problemsOf(oracle: OracleCase, result: CaseResult, kind: EngineKind): string[] {
  const problems: string[] = [];
  if (result.outputs.length !== oracle.outputs.length) {
    problems.push(`${result.outputs.length} outputs (expected ${oracle.outputs.length})`);
  }
  const alternatives = kind === 'kernels' ? resultsOfFlushedInputs(oracle) : [];
  oracle.outputs.forEach((output, i) => {
    const shape = result.shapes[i];
    if (shape === undefined) return;
    if (showShape(shape) !== showShape(output.shape)) {
      problems.push(`output ${i} is ${showShape(shape)} (expected ${showShape(output.shape)})`);
      return;
    }
    const rules = output.dtype === 'f16' ? TOLERANCES.halves : toleranceOf(oracle.op, oracle.inputs.length);
    const wrong = mismatch(result.outputs[i]!, decode(output), output.shape, { rules, kind, alternatives });
    if (wrong !== null) problems.push(`output ${i}: ${wrong}`);
  });
  oracle.grads?.forEach((grad, i) => {
    if (grad === null) return;
    const rules = grad.dtype === 'f16' ? TOLERANCES.halves : gradientToleranceOf(oracle.op);
    const wrong = mismatch(result.grads[i]!, decode(grad), grad.shape, { rules, kind });
    if (wrong !== null) problems.push(`gradient of input ${i}: ${wrong}`);
  });
  return problems;
}

/** What differs between two engines' results of one case. */
export function differencesOf(oracle: OracleCase, result: CaseResult, reference: CaseResult): string[] {
  const asGolden = (arrays: OracleCase['outputs'], values: CaseResult['outputs']): OracleCase['outputs'] =>
    arrays.map((array, i) => ({ ...array, data: [...values[i]!].map(encodeNumber) }));
  const golden: OracleCase = {
    ...oracle,
    outputs: asGolden(oracle.outputs, reference.outputs),
    grads: oracle.grads?.map((grad, i) => (grad === null ? null : asGolden([grad], [reference.grads[i]!])[0]!)),
  };
  return problemsOf(golden, result, 'kernels');
}

const encodeNumber = (x: number): number | string => {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  return Object.is(x, -0) ? '-0' : x;
};
