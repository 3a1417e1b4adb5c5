import { sizeOf, type TypedArray } from '../../src/graph/index.js';
import * as tl from '../../src/index.js';
import { callCase, outputsOf, tensorOf } from './cases.js';
import { type EngineKind, mismatch } from './compare.js';
import { decode, type OracleCase } from './fixtures.js';
import { TOLERANCES, toleranceOf } from './tolerances.js';

/** The outputs of a case; null where they are promised, which has no place in a transform. */
function outputs(oracle: OracleCase, inputs: readonly tl.Tensor[]): tl.Tensor[] | null {
  const result = callCase(oracle, inputs);
  if (!(result instanceof Promise)) return outputsOf(result);
  result.catch(() => {});
  return null;
}

const values = (tensors: readonly tl.Tensor[]): Promise<TypedArray[]> => Promise.all(tensors.map((x) => x.data()));

/** Running statistics have no new value for all examples: vmap refuses. */
const CHANGES_STATE = /^(batchNormTraining|instanceNormTracking)$/;

/**
 * Batches a case over two examples, its inputs and its inputs in reverse order, and compares with one call for each: what differs, in
 * words; null where the op has no place under vmap, because its shape depends on data or it changes state. On the reference engine every bit must be equal;
 * kernels add in another order where there is more to add.
 */
export async function vmapProblems(oracle: OracleCase, kind: EngineKind): Promise<string[] | null> {
  if (CHANGES_STATE.test(oracle.op)) return null;
  const examples = [0, 1].map((e) =>
    oracle.inputs.map((input) => {
      const data = decode(input);
      return tl.tensor(e === 0 ? data : data.slice().reverse(), { shape: input.shape, dtype: input.dtype });
    }),
  );
  if (examples[0]!.length === 0) return [];
  const alone = await Promise.all(
    examples.map(async (inputs) => {
      const found = outputs(oracle, inputs);
      return found && { data: await values(found), shapes: found.map((y) => y.shape) };
    }),
  );
  if (alone[0] === null) return null;
  const batched = tl.vmap((...inputs: tl.Tensor[]) => outputs(oracle, inputs)!)(
    ...examples[0]!.map((x, i) => tl.stack([x, examples[1]![i]!])),
  );
  const all = await values(batched);
  const problems: string[] = [];
  alone.forEach((one, e) => {
    one!.data.forEach((expected, i) => {
      const shape = [2, ...one!.shapes[i]!];
      if (batched[i]!.shape.join() !== shape.join())
        problems.push(`output ${i} is [${batched[i]!.shape}], not [${shape}]`);
      const part = all[i]!.subarray(e * expected.length, (e + 1) * expected.length);
      const rules = kind === 'reference' ? TOLERANCES.exact : toleranceOf(oracle.op, oracle.inputs.length);
      const wrong = mismatch(part, expected, shape.slice(1), { rules: { ...rules, signedZeros: false }, kind });
      if (wrong !== null) problems.push(`output ${i} of example ${e}: ${wrong}`);
    });
  });
  return problems;
}

/**
 * Forward mode against PyTorch's gradients: for a random direction v, <cotangents, J v> is <gradients, v>. Returns how far apart they are,
 * in parts of the sum of all terms' magnitudes; null for cases without finite values and gradients, and for promised results.
 */
export async function forwardDistance(oracle: OracleCase): Promise<number | null> {
  const golden = oracle.grads?.map((g) => (g === null ? null : decode(g)));
  if (golden === undefined || golden.every((g) => g === null)) return null;
  if (golden.some((g) => g !== null && [...g].some((v) => !Number.isFinite(v)))) return null;
  const inputs = oracle.inputs.map((input) => tensorOf(input));
  const found = outputs(oracle, inputs);
  if (found === null) return null;
  if ((await values(found)).some((y) => [...y].some((v) => !Number.isFinite(v)))) return null;
  const at = inputs.map((_, i) => i).filter((i) => golden[i]);
  let seed = 0;
  const directions = at.map((i) =>
    Float32Array.from({ length: sizeOf(inputs[i]!.shape) }, () => Math.round(8 * Math.sin(++seed * 1.7)) / 8),
  );
  const differentiable = (xs: tl.Tensor[]): tl.Tensor[] => {
    const found = outputs(
      oracle,
      inputs.map((x, i) => xs[at.indexOf(i)] ?? x),
    )!;
    // Outputs that are integers have no tangent, and no cotangent that matters.
    return found.map((y) => (y.dtype === 'f32' || y.dtype === 'f16' ? y : tl.zeros([])));
  };
  const tangents = at.map((i, k) => tl.tensor(directions[k]!, { shape: inputs[i]!.shape, dtype: inputs[i]!.dtype }));
  const moved = await values(
    tl.jvp(
      differentiable,
      at.map((i) => inputs[i]!),
      tangents,
    )[1],
  );
  let forward = 0;
  let reverse = 0;
  let size = 0;
  const count = (a: number, b: number): number => {
    size += Math.abs(a * b);
    return a * b;
  };
  oracle.cotangents!.forEach((cotangent, i) => {
    const weights = decode(cotangent);
    if (moved[i]!.length === weights.length) {
      moved[i]!.forEach((t, j) => {
        forward += count(t, weights[j]!);
      });
    }
  });
  at.forEach((i, k) => {
    directions[k]!.forEach((d, j) => {
      reverse += count(d, golden[i]![j]!);
    });
  });
  return Math.abs(forward - reverse) / Math.max(size, 1e-6);
}

/** How far apart they may be: the sums are of f32 numbers, or of numbers that were rounded to f16 (2^-11) four times on the way. */
export const forwardLimit = (oracle: OracleCase): number =>
  oracle.inputs.some(({ dtype }) => dtype === 'f16') ? 4 * 2 ** -11 : 1e-5;
