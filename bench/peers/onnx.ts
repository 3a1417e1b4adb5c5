import type { Protobuf, ProtobufType } from './nativePackages.js';
import { requirePeer } from './require.js';

/** The part of onnx.proto that the benchmarks' models need. */
const SCHEMA = {
  nested: {
    Model: message({
      irVersion: [1, 'int64'],
      producerName: [2, 'string'],
      graph: [7, 'Graph'],
      opsets: [8, 'Opset', 'repeated'],
    }),
    Opset: message({ domain: [1, 'string'], version: [2, 'int64'] }),
    Graph: message({
      node: [1, 'Node', 'repeated'],
      name: [2, 'string'],
      initializer: [5, 'Tensor', 'repeated'],
      input: [11, 'ValueInfo', 'repeated'],
      output: [12, 'ValueInfo', 'repeated'],
    }),
    Node: message({
      input: [1, 'string', 'repeated'],
      output: [2, 'string', 'repeated'],
      opType: [4, 'string'],
      attribute: [5, 'Attribute', 'repeated'],
    }),
    Attribute: message({
      name: [1, 'string'],
      f: [2, 'float'],
      i: [3, 'int64'],
      s: [4, 'bytes'],
      ints: [8, 'int64', 'repeated'],
      type: [20, 'int32'],
    }),
    Tensor: message({
      dims: [1, 'int64', 'repeated'],
      dataType: [2, 'int32'],
      name: [8, 'string'],
      rawData: [9, 'bytes'],
    }),
    ValueInfo: message({ name: [1, 'string'], type: [2, 'Type'] }),
    Type: message({ tensorType: [1, 'TensorType'] }),
    TensorType: message({ elemType: [1, 'int32'], shape: [2, 'Shape'] }),
    Shape: message({ dim: [1, 'Dimension', 'repeated'] }),
    Dimension: message({ dimValue: [1, 'int64'] }),
  },
};

function message(fields: Record<string, [id: number, type: string, rule?: 'repeated']>) {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [id, type, rule]]) => [name, { id, type, ...(rule && { rule }) }]),
    ),
  };
}

/** TensorProto.DataType */
const DATA_TYPES = { f32: 1, i32: 6, i64: 7 } as const;
/** AttributeProto.AttributeType */
const ATTRIBUTE_TYPES = { f: 1, i: 2, s: 3, ints: 7 } as const;
/** Operator set, and the version of the file format that goes with it. */
const OPSET = 18;
const IR_VERSION = 8;

type Attribute = number | string | readonly number[];

/** A model that is put together node by node. Values go by name. */
export class OnnxGraph {
  readonly #nodes: object[] = [];
  readonly #inputs: object[] = [];
  readonly #constants: object[] = [];

  input(dtype: 'f32' | 'i32', shape: readonly number[]): string {
    const name = `input${this.#inputs.length}`;
    this.#inputs.push(valueInfo(name, dtype, shape));
    return name;
  }

  /** A constant vector of i64: axes, lengths. */
  integers(values: readonly number[]): string {
    const name = `constant${this.#constants.length}`;
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#constants.push({ name, dims: [values.length], dataType: DATA_TYPES.i64, rawData });
    return name;
  }

  /** A constant tensor of f32 or i32. */
  tensor(data: Float32Array | Int32Array, shape: readonly number[]): string {
    const name = `constant${this.#constants.length}`;
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const dataType = DATA_TYPES[data instanceof Float32Array ? 'f32' : 'i32'];
    this.#constants.push({ name, dims: [...shape], dataType, rawData });
    return name;
  }

  /** A constant number, f32. */
  number(value: number): string {
    const name = `constant${this.#constants.length}`;
    this.#constants.push({
      name,
      dims: [],
      dataType: DATA_TYPES.f32,
      rawData: new Uint8Array(Float32Array.of(value).buffer),
    });
    return name;
  }

  /** Adds a node; returns its first result. Attributes: whole numbers are integers, others floats. */
  node(
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    results = 1,
  ): string {
    const output = Array.from({ length: results }, (_, i) => `value${this.#nodes.length}_${i}`);
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push({ input, output, opType, attribute });
    return output[0]!;
  }

  /** The model as a file. */
  encode(result: string): Uint8Array {
    const protobuf = requirePeer<Protobuf>('protobufjs');
    const Model: ProtobufType = protobuf.Root.fromJSON(SCHEMA).lookupType('Model');
    const model = {
      irVersion: IR_VERSION,
      producerName: 'tiller-bench',
      opsets: [{ domain: '', version: OPSET }],
      graph: {
        name: 'bench',
        node: this.#nodes,
        initializer: this.#constants,
        input: this.#inputs,
        output: [valueInfo(result, 'f32', null)],
      },
    };
    return Model.encode(Model.fromObject(model)).finish();
  }
}

/** `shape` null: onnxruntime infers it. */
function valueInfo(name: string, dtype: keyof typeof DATA_TYPES, shape: readonly number[] | null) {
  const dims = shape && { shape: { dim: shape.map((dimValue) => ({ dimValue })) } };
  return { name, type: { tensorType: { elemType: DATA_TYPES[dtype], ...dims } } };
}

function attributeProto(name: string, value: Attribute) {
  if (typeof value === 'string') return { name, type: ATTRIBUTE_TYPES.s, s: new TextEncoder().encode(value) };
  if (typeof value !== 'number') return { name, type: ATTRIBUTE_TYPES.ints, ints: value };
  if (Number.isInteger(value)) return { name, type: ATTRIBUTE_TYPES.i, i: value };
  return { name, type: ATTRIBUTE_TYPES.f, f: value };
}
