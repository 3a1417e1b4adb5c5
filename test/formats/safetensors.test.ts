import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FormatError, tensor, UnsupportedError } from 'tiller';
import { encodeSafetensors, loadSafetensors, parseSafetensors, saveSafetensors } from 'tiller/formats';
import { describe, expect, it } from 'vitest';
import { describeWithPath } from '../setup/environment.js';

/** A file with this header and that many bytes of data, made without the code under test. */
function fileOf(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, typeof data === 'number' ? Buffer.alloc(data) : data]);
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

describe('round trip', () => {
  it('keeps every dtype, shape and bit', async () => {
    const floats = Float32Array.from([0, -0, 1.5, Number.NaN, Infinity, -Infinity, 1e-45, 3.4028235e38]);
    const saved = await saveSafetensors(
      {
        flag: tensor([true, false, true]),
        weight: tensor(floats, { shape: [2, 4] }),
        index: tensor(Int32Array.from([-(2 ** 31), 2 ** 31 - 1])),
        bits: tensor(Uint32Array.from([2 ** 32 - 1])),
        single: tensor(7),
        empty: tensor(new Float32Array(0), { shape: [0, 3] }),
        ['__proto__']: tensor([1, 2]),
      },
      { metadata: { format: 'pt' } },
    );
    expect(parseSafetensors(saved).metadata).toEqual({ format: 'pt' });
    const loaded = loadSafetensors(saved);
    expect(Object.keys(loaded).sort()).toEqual(['__proto__', 'bits', 'empty', 'flag', 'index', 'single', 'weight']);
    const weight = (await loaded.weight!.data()) as Float32Array;
    expect(new Uint32Array(weight.buffer)).toEqual(new Uint32Array(floats.buffer));
    expect(loaded.weight!.shape).toEqual([2, 4]);
    expect([loaded.flag!.dtype, await loaded.flag!.tolist()]).toEqual(['bool', [true, false, true]]);
    expect([loaded.index!.dtype, await loaded.index!.tolist()]).toEqual(['i32', [-(2 ** 31), 2 ** 31 - 1]]);
    expect([loaded.bits!.dtype, await loaded.bits!.tolist()]).toEqual(['u32', [2 ** 32 - 1]]);
    expect([loaded.single!.shape, await loaded.single!.item()]).toEqual([[], 7]);
    expect(loaded.empty!.shape).toEqual([0, 3]);
  });

  it('starts the data at a multiple of 8 bytes and keeps words aligned behind bytes', () => {
    for (let length = 1; length <= 9; length++) {
      const file = encodeSafetensors({
        ['n'.repeat(length)]: { shape: [3], data: new Uint8Array(3) },
        x: { shape: [1], data: Float32Array.of(1) },
      });
      const header = Number(new DataView(file.buffer).getBigUint64(0, true));
      expect(header % 8).toBe(0);
      const { entries } = parseSafetensors(file);
      expect(entries.map(({ name }) => name)).toEqual(['x', 'n'.repeat(length)]);
    }
  });

  it('reads a file at an odd place in its buffer', async () => {
    const file = encodeSafetensors({ x: { shape: [2], data: Float32Array.of(1, 2) } });
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(await loadSafetensors(shifted.subarray(3)).x!.tolist()).toEqual([1, 2]);
    expect(await loadSafetensors(file.buffer as ArrayBuffer).x!.tolist()).toEqual([1, 2]);
  });
});

describe('16-bit floats', () => {
  it('loads F16 exactly', async () => {
    // 1, -2, largest, smallest subnormal, largest subnormal, infinity, NaN, -0
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x7c00, 0x7e00, 0x8000);
    const header = { h: { dtype: 'F16', shape: [8], data_offsets: [0, 16] } };
    const { h } = loadSafetensors(fileOf(header, new Uint8Array(halves.buffer)));
    expect(h!.dtype).toBe('f16');
    expect([...(await h!.data())]).toEqual([1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, Infinity, Number.NaN, -0]);
  });

  it('widens BF16 exactly', async () => {
    const header = { h: { dtype: 'BF16', shape: [4], data_offsets: [0, 8] } };
    const data = new Uint8Array(Uint16Array.of(0x3f80, 0xc049, 0xff80, 0x0001).buffer);
    expect([...(await loadSafetensors(fileOf(header, data)).h!.data())]).toEqual([1, -3.140625, -Infinity, 2 ** -133]);
  });
});

describe('malformed files', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /file too short: 0 bytes/],
    ['a header length beyond the file', fileOf('{}').subarray(0, 9), /truncated in its header: 9 bytes/],
    ['a huge header length', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), /header too long/],
    ['text that is no JSON', fileOf('{"x":'), /header is not JSON/],
    ['bytes that are no UTF-8', Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0xff]), /header is not JSON/],
    ['an array', fileOf([]), /header is not a JSON object/],
    ['metadata that is no map of strings', fileOf({ __metadata__: { a: 1 } }), /__metadata__/],
    ['an entry that is no object', fileOf({ x: 3 }), /'x' is not a JSON object/],
    ['an unknown dtype', fileOf({ x: { dtype: 'F31', shape: [], data_offsets: [0, 4] } }, 4), /unknown dtype: F31/],
    [
      'a dtype from the prototype',
      fileOf({ x: { dtype: 'toString', shape: [], data_offsets: [0, 4] } }, 4),
      /unknown dtype/,
    ],
    ['a negative dimension', fileOf({ x: f32([-1], 0, 4) }, 4), /invalid shape: \[-1\]/],
    ['a fractional dimension', fileOf({ x: f32([1.5], 0, 6) }, 6), /invalid shape/],
    ['a missing shape', fileOf({ x: { dtype: 'F32', data_offsets: [0, 4] } }, 4), /invalid shape/],
    ['reversed offsets', fileOf({ x: f32([1], 4, 0) }, 4), /invalid data_offsets: \[4,0\]/],
    ['three offsets', fileOf({ x: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 8), /invalid data_offsets/],
    [
      'a size that does not fit the shape',
      fileOf({ x: f32([2], 0, 4) }, 4),
      /has 4 bytes \(expected 8 for F32 \[2\]\)/,
    ],
    ['a product of dimensions that overflows', fileOf({ x: f32([2 ** 40, 2 ** 40], 0, 4) }, 4), /has 4 bytes/],
    ['missing data', fileOf({ x: f32([2], 0, 8) }, 7), /file truncated: 'x' ends at byte 8 of 7/],
    ['overlapping tensors', fileOf({ x: f32([2], 0, 8), y: f32([1], 4, 8) }, 8), /'y' overlaps another tensor/],
    ['the same range twice', fileOf({ x: f32([1], 0, 4), y: f32([1], 0, 4) }, 4), /'y' overlaps another tensor/],
    ['a gap', fileOf({ x: f32([1], 0, 4), y: f32([1], 8, 12) }, 12), /gap before 'y'/],
    ['bytes that belong to nothing', fileOf({ x: f32([1], 0, 4) }, 9), /5 bytes after the last tensor/],
    [
      'a name twice',
      fileOf(
        '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
        8,
      ),
      /gap before 'x'/,
    ],
    [
      'a bool of 2',
      fileOf({ x: { dtype: 'BOOL', shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(2)),
      /other than 0 and 1/,
    ],
  ])('refuses %s', (_, file, message) => {
    expect(() => loadSafetensors(file)).toThrow(FormatError);
    expect(() => loadSafetensors(file)).toThrow(message);
  });

  it('refuses every truncation of a good file', () => {
    const file = encodeSafetensors({ x: { shape: [3], data: Float32Array.of(1, 2, 3) } });
    for (let length = 0; length < file.length; length++) {
      expect(() => loadSafetensors(file.subarray(0, length))).toThrow(FormatError);
    }
  });

  it('says what it does not support', () => {
    const file = fileOf({ x: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8);
    expect(() => loadSafetensors(file)).toThrow(UnsupportedError);
    expect(parseSafetensors(file).entries[0]).toMatchObject({ name: 'x', dtype: 'I64', shape: [1] });
  });

  it('does not write what it could not read', () => {
    expect(() => encodeSafetensors({ x: { shape: [2], data: Float32Array.of(1) } })).toThrow(/1 elements \(expected 2/);
    expect(() => encodeSafetensors({ __metadata__: { shape: [1], data: Float32Array.of(1) } })).toThrow(/reserves/);
  });
});

const model = fileURLToPath(new URL('../../../shared/models/silero_vad_16k.safetensors', import.meta.url));

describeWithPath(model, 'a voice activity detector', () => {
  it('has 15 F32 tensors that cover the file', () => {
    const file = readFileSync(model);
    const tensors = loadSafetensors(file);
    expect(Object.keys(tensors)).toHaveLength(15);
    let elements = 0;
    for (const t of Object.values(tensors)) {
      expect(t.dtype).toBe('f32');
      elements += t.numel();
    }
    expect(8 + Number(file.readBigUInt64LE(0)) + 4 * elements).toBe(file.length);
  });

  it('survives a round trip bit by bit', async () => {
    const before = parseSafetensors(readFileSync(model));
    const after = parseSafetensors(await saveSafetensors(loadSafetensors(readFileSync(model))));
    const byName = new Map(after.entries.map((entry) => [entry.name, entry]));
    expect(after.entries).toHaveLength(15);
    for (const { name, shape, bytes } of before.entries) {
      expect(byName.get(name)).toMatchObject({ name, shape, dtype: 'F32' });
      expect(Buffer.compare(byName.get(name)!.bytes, bytes)).toBe(0);
    }
  });
});
