// What the benchmarks use of the peers. Their packages are installed by `npm run bench` only, and the sources must type-check without them.

declare module '@jax-js/jax' {
  export type Device = 'cpu' | 'wasm' | 'webgpu' | 'webgl';
  /** Functions take ownership of their arguments; `ref` keeps one. */
  export interface Array {
    readonly ref: this;
    readonly shape: number[];
    add(other: Array | number): Array;
    sub(other: Array | number): Array;
    mul(other: Array | number): Array;
    div(other: Array | number): Array;
    neg(): Array;
    sum(axis?: number | number[]): Array;
    mean(axis?: number | number[]): Array;
    reshape(shape: number[]): Array;
    transpose(axes?: number[]): Array;
    data(): Promise<Float32Array | Int32Array>;
    blockUntilReady(): Promise<Array>;
    dispose(): void;
  }
  type Tree = Array | readonly Tree[] | { readonly [name: string]: Tree };
  interface CompiledFunction<F> {
    (...args: F extends (...args: infer A) => unknown ? A : never): F extends (...args: never) => infer R ? R : never;
    dispose(): void;
  }
  export function init(...devices: Device[]): Promise<Device[]>;
  export function defaultDevice(device: Device): Device;
  export function getWebGPUDevice(): GPUDevice;
  export function jit<F extends (...args: never[]) => Tree>(f: F): CompiledFunction<F>;
  export function valueAndGrad<P extends Tree, Rest extends Tree[]>(
    f: (params: P, ...rest: Rest) => Array,
  ): (params: P, ...rest: Rest) => [Array, P];
  interface Pullback {
    (weights: Array): Array[];
    dispose(): void;
  }
  export function vjp(f: (...args: Array[]) => Array, primals: Array[]): [Array, Pullback];
  export const numpy: {
    float32: string;
    int32: string;
    array(data: Float32Array | Int32Array | number, options?: { shape?: number[]; dtype?: string }): Array;
    zeros(shape: number[]): Array;
    matmul(a: Array, b: Array): Array;
    cumsum(x: Array, axis: number): Array;
    sort(x: Array, axis: number): Array;
    take(x: Array, indices: Array, axis: number): Array;
    max(x: Array, axis?: number | number[]): Array;
    sqrt(x: Array): Array;
    square(x: Array): Array;
    sum(x: Array, axis?: number): Array;
  };
  export const nn: {
    relu(x: Array): Array;
    sigmoid(x: Array): Array;
    softmax(x: Array, axis?: number): Array;
    logSoftmax(x: Array, axis?: number): Array;
    standardize(x: Array, axis?: number, options?: { epsilon?: number }): Array;
    oneHot(x: Array, classes: number): Array;
  };
  export const lax: {
    convGeneralDilated(
      x: Array,
      w: Array,
      strides: number[],
      padding: [number, number][],
      options?: { featureGroupCount?: number },
    ): Array;
    reduceWindow(x: Array, f: (window: Array) => Array, window: number[], strides: number[]): Array;
  };
  export const tree: {
    ref<T extends Tree>(tree: T): T;
    dispose(tree: Tree): void;
  };
}

declare module '@tensorflow/tfjs' {
  export interface Tensor {
    readonly shape: number[];
    data(): Promise<Float32Array | Int32Array>;
    dispose(): void;
  }
  export interface Variable extends Tensor {
    assign(value: Tensor): void;
  }
  export interface Optimizer {
    minimize(loss: () => Tensor, returnCost: true, variables: Variable[]): Tensor | null;
    dispose(): void;
  }
  type Operand = Tensor | number;
  export function setBackend(name: string): Promise<boolean>;
  export function ready(): Promise<void>;
  export function backend(): unknown;
  export function enableProdMode(): void;
  export function tidy<T>(f: () => T): T;
  export function dispose(tensors: Tensor[]): void;
  export function tensor(data: Float32Array | Int32Array, shape: number[], dtype?: 'float32' | 'int32'): Tensor;
  export function variable(initial: Tensor, trainable?: boolean, name?: string): Variable;
  export function matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  export function grads(f: (...args: Tensor[]) => Tensor): (args: Tensor[], weights: Tensor) => Tensor[];
  export function cumsum(x: Tensor, axis: number): Tensor;
  export function topk(x: Tensor, k: number, sorted: boolean): { values: Tensor; indices: Tensor };
  export function reverse(x: Tensor, axis: number): Tensor;
  export function gather(x: Tensor, indices: Tensor, axis: number): Tensor;
  export function scatterND(indices: Tensor, updates: Tensor, shape: number[]): Tensor;
  export function dot(a: Tensor, b: Tensor): Tensor;
  export function add(a: Operand, b: Operand): Tensor;
  export function sub(a: Operand, b: Operand): Tensor;
  export function mul(a: Operand, b: Operand): Tensor;
  export function rsqrt(x: Tensor): Tensor;
  export function relu(x: Tensor): Tensor;
  export function sigmoid(x: Tensor): Tensor;
  export function softmax(x: Tensor, axis?: number): Tensor;
  export function sum(x: Tensor, axis?: number): Tensor;
  export function moments(x: Tensor, axis: number, keepDims: boolean): { mean: Tensor; variance: Tensor };
  export function reshape(x: Tensor, shape: number[]): Tensor;
  export function oneHot(x: Tensor, depth: number): Tensor;
  export function conv2d(x: Tensor, filter: Tensor, strides: number, pad: 'same' | 'valid'): Tensor;
  export function depthwiseConv2d(x: Tensor, filter: Tensor, strides: number, pad: 'same' | 'valid'): Tensor;
  export function maxPool(x: Tensor, filterSize: number, strides: number, pad: 'same' | 'valid'): Tensor;
  export const losses: { softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor };
  export const train: { adam(lr: number, beta1: number, beta2: number, epsilon: number): Optimizer };
}
