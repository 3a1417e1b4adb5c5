import { type Shape, sizeOf, type TypedArray } from '../../src/graph/index.js';
import * as tl from '../../src/index.js';
import { functionNamed } from './entryPoints.js';
import { decode, decodeNumber, type EncodedArray, isNumberWord, type Json, type OracleCase } from './fixtures.js';
import { TRANSFORMED } from './transformedFunctions.js';
import { SECOND_DERIVATIVES, WITHOUT_SIGNS } from './withoutSigns.js';

/** Tensors, or arrays and objects of them, whose outputs are taken in order; a promise where the shape depends on data. */
type Result = tl.Tensor | readonly Result[] | { readonly [key: string]: Result };
type Op = (...args: never[]) => Result | Promise<Result>;

/** Compositions that the fixtures name like ops. */
const COMPOSITIONS = {
  /** In training: the result and the running statistics, which begin as copies. */
  batchNormTraining: (x: tl.Tensor, mean: tl.Tensor, variance: tl.Tensor, momentum: number) => {
    const running = [tl.mul(mean, 1).detach(), tl.mul(variance, 1).detach()] as const;
    return [tl.batchNorm(x, ...running, null, null, true, momentum), ...running];
  },
  instanceNormTracking: (x: tl.Tensor, mean: tl.Tensor, variance: tl.Tensor) => {
    const running = [tl.mul(mean, 1).detach(), tl.mul(variance, 1).detach()] as const;
    return [tl.instanceNorm(x, ...running), ...running];
  },
  /** As PyTorch defines its gradient: that of normalized log-probabilities. */
  ctcOfLogits: (x: tl.Tensor, ...rest: [tl.Tensor, number[], number[], tl.CtcOptions?]) =>
    tl.ctcLoss(tl.logSoftmax(x), ...rest),
  ...TRANSFORMED,
  ...WITHOUT_SIGNS,
  ...SECOND_DERIVATIVES,
  composedLayerNorm: (x: tl.Tensor, weight: tl.Tensor, bias: tl.Tensor) => {
    const centred = tl.sub(x, tl.mean(x, -1, { keepDim: true }));
    const variance = tl.mean(tl.square(centred), -1, { keepDim: true });
    return tl.add(tl.mul(tl.mul(centred, tl.rsqrt(tl.add(variance, 1e-5))), weight), bias);
  },
  attention: (q: tl.Tensor, k: tl.Tensor, v: tl.Tensor) =>
    tl.matmul(tl.softmax(tl.mul(tl.matmul(q, tl.transpose(k, -1, -2)), 0.5), -1), v),
  mlp: (x: tl.Tensor, w1: tl.Tensor, b1: tl.Tensor, w2: tl.Tensor, b2: tl.Tensor, labels: tl.Tensor) =>
    tl.crossEntropy(tl.linear(tl.relu(tl.linear(x, w1, b1)), w2, b2), labels),
  reluSum: (x: tl.Tensor) => tl.sum(tl.relu(tl.add(tl.mul(x, 2), 1))),
  deepChain: (x: tl.Tensor) => {
    let y = x;
    for (let i = 0; i < 20; i++) y = tl.add(tl.mul(tl.sin(y), x), tl.cos(y));
    return y;
  },
};

function opNamed(name: string): (...args: unknown[]) => Result | Promise<Result> {
  const op = (COMPOSITIONS as Record<string, Op>)[name] ?? functionNamed(name);
  return op as (...args: unknown[]) => Result | Promise<Result>;
}

function decodeArg(arg: Json, inputs: readonly tl.Tensor[]): unknown {
  if (typeof arg === 'string') {
    if (arg.startsWith('$')) return inputs[Number(arg.slice(1))];
    return isNumberWord(arg) ? decodeNumber(arg) : arg;
  }
  if (Array.isArray(arg)) return arg.map((item: Json) => decodeArg(item, inputs));
  if (typeof arg !== 'object' || arg === null) return arg;
  return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, decodeArg(value, inputs)]));
}

export const tensorOf = (array: EncodedArray, requiresGrad = false): tl.Tensor =>
  tl.tensor(decode(array), { shape: array.shape, dtype: array.dtype, requiresGrad });

export function outputsOf(result: Result): tl.Tensor[] {
  return tl.isTensor(result) ? [result] : Object.values(result).flatMap(outputsOf);
}

/** Calls the case's function on tensors that stand for its inputs. */
export function callCase(oracle: OracleCase, inputs: readonly tl.Tensor[]): Result | Promise<Result> {
  const seen = inputs.map((input, i) =>
    (oracle.views?.[i] ?? []).reduce(
      (x, [name, ...args]) => opNamed(name)(x, ...args.map((arg) => decodeArg(arg, []))) as tl.Tensor,
      input,
    ),
  );
  return opNamed(oracle.op)(...oracle.args.map((arg) => decodeArg(arg, seen)));
}

export interface CaseResult {
  readonly shapes: readonly Shape[];
  readonly outputs: readonly TypedArray[];
  /** Zeros where the function does not depend on the input; null for inputs without a gradient. */
  readonly grads: readonly (TypedArray | null)[];
}

/** Runs a case on the engine that `init` chose last: its outputs, and the gradients of its inputs. */
export async function runCase(oracle: OracleCase): Promise<CaseResult> {
  const expected = oracle.grads ?? [];
  const inputs = oracle.inputs.map((input, i) => tensorOf(input, (expected[i] ?? null) !== null));
  const outputs = outputsOf(await callCase(oracle, inputs));
  oracle.cotangents?.forEach((cotangent, i) => {
    if (outputs[i]!.requiresGrad) outputs[i]!.backward(tensorOf(cotangent));
  });
  const data = await Promise.all(outputs.map((output) => output.data()));
  const grads = await Promise.all(
    expected.map(async (grad, i) => {
      if (grad === null) return null;
      const { grad: computed } = inputs[i]!;
      return computed === null ? new Float32Array(sizeOf(grad.shape)) : computed.data();
    }),
  );
  return { shapes: outputs.map((output) => output.shape), outputs: data, grads };
}

/** The gradients of a case by `tl.grad` instead of `backward`; null for inputs without one. */
export async function gradientsOf(oracle: OracleCase): Promise<(TypedArray | null)[]> {
  const inputs = oracle.inputs.map((input) => tensorOf(input));
  const differentiable = inputs.filter((_, i) => (oracle.grads?.[i] ?? null) !== null);
  const weighted = (of: tl.Tensor[]): tl.Tensor => {
    let next = 0;
    const result = callCase(
      oracle,
      inputs.map((input) => (differentiable.includes(input) ? of[next++]! : input)),
    );
    if (result instanceof Promise) throw new Error(`${oracle.op} gives a promise: it has no place inside grad`);
    const outputs = outputsOf(result);
    const parts = outputs.map((output, i) => tl.sum(tl.mul(output, tensorOf(oracle.cotangents![i]!))));
    return parts.reduce((a, b) => tl.add(a, b));
  };
  const gradients = tl.grad(weighted)(differentiable);
  const data = await Promise.all(gradients.map((gradient) => gradient.data()));
  return inputs.map((input) => data[differentiable.indexOf(input)] ?? null);
}
