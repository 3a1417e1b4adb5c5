/** What is used of @tensorflow/tfjs-core, in types of our own: tiller compiles without the package. */

/** Element types of its tensors that values are held in: u32 as the int32 of the same bits, i8 and u8 as int32, f16 as float32. */
export type TfType = 'float32' | 'int32' | 'bool';
export type TfArray = Float32Array | Int32Array | Uint8Array;

export interface TfTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  dataSync(): TfArray;
  data(): Promise<TfArray>;
  dispose(): void;
}

export type TfInputs = Record<string, TfTensor> | TfTensor[];
export type TfAttrs = Readonly<Record<string, unknown>>;

export interface TfEngine {
  runKernel(name: string, inputs: TfInputs, attrs: TfAttrs): TfTensor | TfTensor[];
}

export interface Tf {
  readonly version_core: string;
  engine(): TfEngine;
  tensor(values: TfArray, shape: readonly number[], dtype: TfType): TfTensor;
  getBackend(): string;
  /** Sets the backend at once where it has started before. */
  setBackend(name: string): Promise<boolean>;
  findBackend(name: string): object | null;
  memory(): { readonly numTensors: number; readonly numBytes: number };
}

/** The package's own name of each backend. */
export type TfBackendName = 'cpu' | 'wasm' | 'tensorflow';
