import {
  type DType,
  FormatError,
  halfBits,
  halfValue,
  type Shape,
  showShape,
  sizeOf,
  type TypedArray,
  UnsupportedError,
} from '../graph/index.js';
import { type Tensor, tensor } from '../tensor/index.js';

/** Bytes of one element of each dtype that the format knows. */
const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;

/** Element types of the safetensors format. */
export type SafetensorsDType = keyof typeof ELEMENT_BYTES;

/** One tensor of a safetensors file: what the header says, and its bytes (a view into the file, maybe unaligned). */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: Shape;
  readonly bytes: Uint8Array;
}

/** A checked safetensors file. */
export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes. */
  readonly entries: readonly SafetensorsEntry[];
}

/** The reference implementation refuses longer headers too. */
const MAX_HEADER_BYTES = 100_000_000;
const HEADER_ALIGNMENT = 8;

const fail = (message: string): never => {
  throw new FormatError(`[safetensors] ${message}`);
};

/**
 * Reads a safetensors file without making tensors. Everything is checked before it is believed: lengths, JSON, dtypes,
 * shapes against byte counts, and that the tensors cover the data exactly, without overlap or gap.
 * @throws FormatError
 */
export function parseSafetensors(file: Uint8Array | ArrayBuffer): SafetensorsFile {
  // A plain view also of Node's Buffer, whose slice() does not copy.
  const bytes =
    file instanceof Uint8Array ? new Uint8Array(file.buffer, file.byteOffset, file.length) : new Uint8Array(file);
  if (bytes.length < 8) fail(`file too short: ${bytes.length} bytes (the header length alone takes 8)`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES) fail(`header too long: ${headerBytes} bytes (at most ${MAX_HEADER_BYTES})`);
  if (8 + headerBytes > bytes.length) {
    fail(`file truncated in its header: ${bytes.length} bytes (the header ends at ${8 + headerBytes})`);
  }
  const header = parseHeader(bytes.subarray(8, 8 + headerBytes));
  const data = bytes.subarray(8 + headerBytes);

  let metadata: Record<string, string> = {};
  const ranges: { name: string; dtype: SafetensorsDType; shape: number[]; begin: number; end: number }[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(value);
    else ranges.push(checkEntry(name, value, data.length));
  }

  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of ranges) {
    if (begin < covered)
      fail(`'${name}' overlaps another tensor: starts at ${begin} (the one before ends at ${covered})`);
    if (begin > covered) fail(`gap before '${name}': starts at ${begin} (the one before ends at ${covered})`);
    covered = end;
  }
  if (covered !== data.length) fail(`${data.length - covered} bytes after the last tensor belong to none`);
  return {
    metadata,
    entries: ranges.map(({ name, dtype, shape, begin, end }) => ({
      name,
      dtype,
      shape,
      bytes: data.subarray(begin, end),
    })),
  };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return fail(`header is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return isRecord(header) ? header : fail('header is not a JSON object');
}

function checkMetadata(value: unknown): Record<string, string> {
  if (!isRecord(value) || Object.values(value).some((v) => typeof v !== 'string')) {
    return fail('__metadata__ is not a map of strings to strings');
  }
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown, dataBytes: number) {
  if (!isRecord(value)) return fail(`'${name}' is not a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_BYTES, dtype)) {
    return fail(`'${name}' has an unknown dtype: ${String(dtype)} (known: ${Object.keys(ELEMENT_BYTES).join(', ')})`);
  }
  if (!isCountList(shape)) return fail(`'${name}' has an invalid shape: ${JSON.stringify(shape)}`);
  if (!isCountList(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    return fail(`'${name}' has invalid data_offsets: ${JSON.stringify(offsets)} (expected [begin, end])`);
  }
  const [begin, end] = offsets as [number, number];
  if (end > dataBytes) fail(`file truncated: '${name}' ends at byte ${end} of ${dataBytes}`);
  const expected = sizeOf(shape) * ELEMENT_BYTES[dtype as SafetensorsDType];
  if (end - begin !== expected) {
    fail(`'${name}' has ${end - begin} bytes (expected ${expected} for ${dtype} ${showShape(shape)})`);
  }
  return { name, dtype: dtype as SafetensorsDType, shape, begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCountList = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0);

/** What `encodeSafetensors` writes: values by name. */
export interface SafetensorsValue {
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array;
  /** What is written: by default F32, I32, U32, I8 and BOOL for the arrays in this order. Float32Array may be F16, Uint8Array U8. */
  readonly dtype?: SafetensorsDType;
}

/** The elements as the file holds them. */
function storedAs({ data, dtype = dtypeOf(data) }: SafetensorsValue, name: string) {
  if (dtype === 'F16' && data instanceof Float32Array) return { dtype, data: Uint16Array.from(data, halfBits) };
  if (dtype !== dtypeOf(data) && !(dtype === 'U8' && data instanceof Uint8Array)) {
    fail(`'${name}' cannot be written as ${dtype} (its data is a ${data.constructor.name})`);
  }
  return { dtype, data };
}

/**
 * Writes a safetensors file: Float32Array as F32 (or F16), Int32Array as I32, Uint32Array as U32, Int8Array as I8 and Uint8Array as BOOL (or U8).
 * @throws FormatError where a shape does not fit its data, a dtype does not either, or a name is reserved
 */
export function encodeSafetensors(
  values: Readonly<Record<string, SafetensorsValue>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const all = Object.entries(values).map(([name, value]) => [name, { ...value, ...storedAs(value, name) }] as const);
  // Wide elements first, so that every tensor is aligned for readers that map the file.
  const ordered = [4, 2, 1].flatMap((bytes) => all.filter(([, { data }]) => data.BYTES_PER_ELEMENT === bytes));
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const [name, { shape, dtype, data }] of ordered) {
    if (name === '__metadata__') fail(`'${name}' is not a name for a tensor (the format reserves it)`);
    if (sizeOf(shape) !== data.length) {
      fail(`'${name}' has ${data.length} elements (expected ${sizeOf(shape)} for ${showShape(shape)})`);
    }
    header.push([name, { dtype, shape, data_offsets: [offset, (offset += data.byteLength)] }]);
  }
  // Joined by hand: an object literal would drop a tensor named __proto__ and move names like '0' to the front.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
  const file = new Uint8Array(8 + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.fill(0x20, 8, 8 + headerBytes);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const [, { data }] of ordered) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

function dtypeOf(data: SafetensorsValue['data']): SafetensorsDType {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof Int8Array) return 'I8';
  return data instanceof Uint32Array ? 'U32' : 'BOOL';
}

/**
 * The values of one entry as a typed array; those of F16 and BF16 in a Float32Array, which is exact.
 * @throws UnsupportedError for dtypes that tiller has no tensors of, FormatError for a BOOL other than 0 and 1
 */
export function decodeEntry(entry: SafetensorsEntry): TypedArray {
  // Copied: a typed array needs alignment, and tensors must not change with the file's bytes.
  const copy = entry.bytes.slice();
  switch (entry.dtype) {
    case 'F32':
      return new Float32Array(copy.buffer);
    case 'I32':
      return new Int32Array(copy.buffer);
    case 'U32':
      return new Uint32Array(copy.buffer);
    case 'I8':
      return new Int8Array(copy.buffer);
    case 'U8':
      return copy;
    case 'BOOL':
      if (copy.some((v) => v > 1)) fail(`'${entry.name}' is BOOL and holds a byte other than 0 and 1`);
      return copy;
    case 'F16':
      return Float32Array.from(new Uint16Array(copy.buffer), halfValue);
    case 'BF16': {
      const words = Uint32Array.from(new Uint16Array(copy.buffer), (bits) => bits << 16);
      return new Float32Array(words.buffer);
    }
    default:
      throw new UnsupportedError(
        `[safetensors] '${entry.name}' is ${entry.dtype} (supported: F32, I32, U32, I8, U8, BOOL, F16, BF16)`,
      );
  }
}

/**
 * The tensors of a safetensors file by name: F32, F16, I32, U32, I8, U8, BOOL, and BF16 widened to f32.
 * @throws FormatError for a malformed file, UnsupportedError for another dtype
 */
export function loadSafetensors(file: Uint8Array | ArrayBuffer): Record<string, Tensor> {
  // Without a prototype, so that a tensor may be named __proto__.
  const tensors = Object.create(null) as Record<string, Tensor>;
  for (const entry of parseSafetensors(file).entries) {
    tensors[entry.name] = tensor(decodeEntry(entry), {
      shape: entry.shape,
      dtype: entry.dtype === 'BF16' ? 'f32' : (entry.dtype.toLowerCase() as DType),
    });
  }
  return tensors;
}

/** Reads tensors and writes them as a safetensors file, each dtype as the format's of that name. */
export async function saveSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  { metadata }: { metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array> {
  const values = await Promise.all(
    Object.entries(tensors).map(
      async ([name, t]) =>
        [name, { shape: t.shape, dtype: t.dtype.toUpperCase() as SafetensorsDType, data: await t.data() }] as const,
    ),
  );
  return encodeSafetensors(Object.fromEntries(values), metadata);
}
