import type * as jaxjs from '@jax-js/jax';
import type * as tfjs from '@tensorflow/tfjs';
import type * as tl from 'tiller';
import type { MeasureOptions } from '../measure.js';
import type { OnnxGraph } from '../peers/onnx.js';
import type { Batch } from './training.js';

export type JaxJs = typeof jaxjs;
export type JaxArray = jaxjs.Array;
export type Tfjs = typeof tfjs;
export type TfTensor = tfjs.Tensor;
/** One result or several. */
type Some<T> = T | T[];

/** An input on the host, f32 or i32, row-major. */
export interface HostArray<Data extends Float32Array | Int32Array = Float32Array> {
  readonly data: Data;
  readonly shape: readonly number[];
}

interface CaseBase {
  readonly name: string;
  /** What is computed, for the table of names in docs/benchmarks.md. */
  readonly what: string;
  /** Floating-point operations of a run, where they are what limits it. */
  readonly flops?: number;
  /** Largest error (see agreement.ts) at which two libraries still agree. */
  readonly tolerance: number;
  /** Peers that cannot run it, by name and engine (`tfjs wasm`), and why. */
  readonly cannot?: Readonly<Record<string, string>>;
}

/** A pure function of arrays, written for each library as its users would write it. */
export interface OpCase extends CaseBase {
  readonly kind: 'op';
  /** True where tiller runs it under `compile`; otherwise it runs as it stands. */
  readonly compiled?: true;
  /** Operations in a chain, where the cost of each one is what is measured. */
  readonly operations?: number;
  inputs(): HostArray<Float32Array | Int32Array>[];
  tiller(...inputs: tl.Tensor[]): Some<tl.Tensor>;
  /** Compiled by `jit`. Owns its arguments. */
  jaxjs(jax: JaxJs, ...inputs: JaxArray[]): Some<JaxArray>;
  tfjs(tf: Tfjs, ...inputs: TfTensor[]): Some<TfTensor>;
  /** Adds the nodes of an ONNX model; of inputs by name to the name of the result. Without it ONNX has no such operation. */
  ort?(graph: OnnxGraph, ...inputs: string[]): string;
  /** True where peers/torch.py has a function of this name. */
  readonly torch?: true;
  /** Where tfjs is at its best in another layout: the inputs in it, and the result back from it. */
  readonly tfjsLayout?: { inputs(inputs: HostArray[]): HostArray[]; result(values: Float32Array): Float32Array };
}

/** A training loop, set up with the same weights for each library. */
export interface TrainCase extends CaseBase {
  readonly kind: 'train';
  tiller(): Promise<Training>;
  jaxjs(jax: JaxJs): Promise<Training>;
  tfjs(tf: Tfjs): Promise<Training>;
  /** What peers/torch.py trains: a perceptron of these weights [out, in] and biases, with rectifiers between. */
  torch?(): { weights: HostArray[]; batches: Batch[] };
}

export interface Training {
  /** Uploads batch i, trains on it, and reads the loss. */
  step(i: number): Promise<number>;
  dispose(): void;
}

export type Case = OpCase | TrainCase;

/** What one measurement of tiller alone told. */
export interface Finding {
  /** Milliseconds, median and minimum. */
  readonly ms: number;
  readonly min: number;
  readonly samples: number;
  readonly detail: Readonly<Record<string, number>>;
}

/** Something about tiller alone that is measured in a way of its own. */
export interface SoloCase {
  readonly kind: 'solo';
  readonly name: string;
  readonly what: string;
  /** On the engine of these options, which new work goes to already. */
  measure(engine: tl.InitOptions, options: MeasureOptions): Promise<Finding>;
}

export type Benchmark = Case | SoloCase;
