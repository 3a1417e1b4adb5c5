// What the benchmarks use of the native peers' packages, which are loaded by `requirePeer`.

export interface OrtTensor {
  readonly data: Float32Array;
}

export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** onnxruntime-node. */
export interface Ort {
  readonly Tensor: new (
    type: 'float32' | 'int32',
    data: Float32Array | Int32Array,
    dims: readonly number[],
  ) => OrtTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OrtSession>;
  };
}

export interface ProtobufType {
  fromObject(object: object): object;
  encode(message: object): { finish(): Uint8Array };
}

/** protobufjs. */
export interface Protobuf {
  readonly Root: { fromJSON(schema: object): { lookupType(name: string): ProtobufType } };
}
