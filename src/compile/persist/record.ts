import type { CodedPlan } from '../../engine/plan.js';
import { HEAD_WORDS, seal, unsealed } from './hash.js';

/** Of the record's form. */
export const SCHEMA = 2;

// A record: its head, with the length of its header; the header as JSON, padded to words; the binary parts of the code, each padded.
const MAGIC = 0x4e_4c_50_54;
const HEADER_AT = (HEAD_WORDS + 1) * 4;

/** What a record is of. */
export interface RecordKey {
  /** Engine, adapter, limits, version: what all plans of one engine share. */
  readonly target: string;
  /** The structure of the graph, in full. */
  readonly structure: string;
}

interface Header extends RecordKey {
  readonly schema: number;
  /** The plan; the code of its kernels is the number of one of `codes`. */
  readonly plan: CodedPlan<number>;
  readonly codes: readonly unknown[];
}

/** A binary part stands in the header as its place. */
const BLOB = '$bytes';

const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/** The bytes to keep for a plan; equal code of several kernels is in it once. */
export function encodeRecord({ target, structure }: RecordKey, plan: CodedPlan): Uint8Array<ArrayBuffer> {
  const codes = [...new Set(plan.kernels.map(({ code }) => code))];
  const blobs: Uint8Array[] = [];
  let blobBytes = 0;
  const kernels = plan.kernels.map(({ kernel: { name, flops, buffers, params }, code, ...rest }) => ({
    ...rest,
    kernel: { name, flops, buffers: buffers.map(({ length, access }) => ({ length, access })), params },
    code: codes.indexOf(code),
  }));
  const header: Header = { schema: SCHEMA, target, structure, plan: { ...plan, kernels }, codes };
  const json = JSON.stringify(header, (_key, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value;
    blobs.push(value);
    const at = blobBytes;
    blobBytes += padded(value.length);
    return { [BLOB]: [at, value.length] };
  });
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(HEADER_AT + padded(text.length) + blobBytes);
  bytes.set(text, HEADER_AT);
  let at = HEADER_AT + padded(text.length);
  for (const blob of blobs) {
    bytes.set(blob, at);
    at += padded(blob.length);
  }
  seal(bytes, MAGIC, text.length);
  return bytes;
}

/** A code with its binary parts in their places. Throws RangeError for one that is not within `blobs`. */
function withBlobs(code: unknown, blobs: Uint8Array): unknown {
  if (typeof code !== 'object' || code === null) return code;
  const entries = Object.entries(code).map(([name, value]) => {
    if (typeof value !== 'object' || value === null || !(BLOB in value)) return [name, value];
    const [at, size] = value[BLOB] as [number, number];
    if (!(at >= 0 && size >= 0 && at + size <= blobs.length)) throw new RangeError('beyond the record');
    return [name, blobs.subarray(at, at + size)];
  });
  return Object.fromEntries(entries);
}

/** The plan in a record; null where the bytes are damaged, or a record of something else. What it says is still to be checked. */
export function decodeRecord(bytes: Uint8Array, key: RecordKey): CodedPlan | null {
  const found = unsealed(bytes, MAGIC, 1);
  if (!found) return null;
  const { bytes: own, head } = found;
  const textLength = head[0]!;
  const blobsAt = HEADER_AT + padded(textLength);
  if (blobsAt > own.length) return null;
  let header: Header;
  try {
    const text = new TextDecoder().decode(own.subarray(HEADER_AT, HEADER_AT + textLength));
    header = JSON.parse(text) as Header;
    if (header.schema !== SCHEMA || header.target !== key.target || header.structure !== key.structure) return null;
    const { plan } = header;
    const codes = header.codes.map((code) => withBlobs(code, own.subarray(blobsAt)));
    return { ...plan, kernels: plan.kernels.map((kernel) => ({ ...kernel, code: codes[kernel.code] })) };
  } catch {
    return null;
  }
}
