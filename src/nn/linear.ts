import { ArgumentError, type Shape } from '../graph/index.js';
import { linear, rand, type Tensor } from '../tensor/index.js';
import { Module } from './module.js';
import { parameter } from './parameter.js';

/** A parameter drawn uniformly from -bound..bound: with 1 / sqrt(inputs of an output), what PyTorch initialises its layers with. */
export function uniformParameter(shape: Shape, bound: number): Tensor {
  return parameter(
    rand(shape)
      .mul(2 * bound)
      .sub(bound),
  );
}

/** Throws ArgumentError unless a size is a positive integer. */
export function checkSize(op: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new ArgumentError(`[${op}] ${name} is ${String(value)} (expected a positive integer)`);
  }
  return value;
}

export interface LinearOptions {
  /** Whether there is a bias (true). */
  bias?: boolean;
}

/** x @ weight^T + bias: [..., inFeatures] to [..., outFeatures]. */
export class Linear extends Module {
  /** [outFeatures, inFeatures] */
  weight: Tensor;
  /** [outFeatures] */
  bias: Tensor | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    { bias = true }: LinearOptions = {},
  ) {
    super();
    checkSize('Linear', 'inFeatures', inFeatures);
    checkSize('Linear', 'outFeatures', outFeatures);
    const bound = 1 / Math.sqrt(inFeatures);
    this.weight = uniformParameter([outFeatures, inFeatures], bound);
    this.bias = bias ? uniformParameter([outFeatures], bound) : null;
  }

  /** Throws ShapeError unless the last axis of x has inFeatures elements. */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
