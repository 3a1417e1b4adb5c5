import { matrixSpace, renderMatrix } from '../families/contractionMatrix.js';
import type { MatrixUnits } from '../families/matrixUnits.js';
import type { ContractionKernel, Expr, Index, IndexVar, Result } from '../ir.js';
import type { Halves } from '../render/wgsl-halves.js';
import type { Check, Verdict } from './check.js';

/** More than a tile each way, and no multiple of anything. */
const [M, N, K] = [75, 70, 50];

/** Row of the left operand: subnormal halves, one NaN, one infinity, all eleven bits of a half; the others have whole numbers. */
const SUBNORMAL = 5;
const WITH_NAN = 7;
const INFINITE = 8;
const PRECISE = 9;

/** The bits of halves that are products of a whole number below 2048 and a power of two not below 2^-24. */
function bitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const [sign, size] = [value < 0 ? 0x8000 : 0, Math.abs(value)];
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

const whole = (i: number): number => ((i * 7919) % 121) - 60;

function left(row: number, k: number): number {
  const number = whole(row * K + k);
  if (row === SUBNORMAL) return number * 2 ** -24;
  if (row === WITH_NAN && k === 20) return Number.NaN;
  if (row === INFINITE && k === 30) return Infinity;
  return row === PRECISE ? 1 + Math.abs(number) / 1024 : number;
}

/** No zeros: 0 times infinity is NaN. */
const right = (k: number, column: number): number => whole(k * N + column + 3) || 1;

/** Every sum and partial sum is exact in f32, though not in f16. */
function expected(): Float32Array {
  const out = new Float32Array(M * N);
  for (let row = 0; row < M; row++) {
    for (let column = 0; column < N; column++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += left(row, k) * right(k, column);
      out[row * N + column] = sum;
    }
  }
  return out;
}

/** Numbers as f32, or two halves a word. */
function wordsOf(values: readonly number[], packed: boolean): Uint32Array<ArrayBuffer> {
  if (!packed) return new Uint32Array(Float32Array.from(values).buffer);
  const words = new Uint32Array(Math.ceil(values.length / 2));
  values.forEach((value, i) => {
    words[i >> 1]! |= bitsOf(value) << (16 * (i & 1));
  });
  return words;
}

const at = (row: IndexVar, columns: number, column: IndexVar): Index => ({
  kind: 'add',
  a: { kind: 'mul', a: { kind: 'var', v: row }, b: columns },
  b: { kind: 'var', v: column },
});

function operand(buffer: number, index: Index, packed: boolean): Expr {
  if (!packed) return { kind: 'load', dtype: 'f32', buffer, index, clamp: false };
  const word: Expr = { kind: 'load', dtype: 'u32', buffer, index: { kind: 'div', a: index, b: 2 }, clamp: false };
  const odd: Index = { kind: 'mul', a: { kind: 'mod', a: index, b: 2 }, b: 16 };
  const from: Expr = { kind: 'index', dtype: 'u32', index: odd };
  const x: Expr = { kind: 'binary', dtype: 'u32', fn: 'shiftRight', a: word, b: from };
  return { kind: 'cast', dtype: 'f32', x, via: 'f16' };
}

function product(packed: boolean): ContractionKernel {
  const variable = (name: string, extent: number): IndexVar => ({ name, extent });
  const [batch, m, n, k] = [variable('batch', 1), variable('m', M), variable('n', N), variable('k', K)];
  const acc: Result = { name: 'acc', dtype: 'f32' };
  const words = (count: number) => ({
    dtype: packed ? ('u32' as const) : ('f32' as const),
    length: packed ? Math.ceil(count / 2) : count,
    access: 'read' as const,
  });
  return {
    kind: 'contraction',
    name: 'check',
    buffers: [words(M * K), words(K * N), { dtype: 'f32', length: M * N, access: 'write' }],
    params: [],
    flops: 0,
    batch,
    m,
    n,
    k,
    dtype: 'f32',
    a: operand(0, at(m, K, k), packed),
    b: operand(1, at(k, N, n), packed),
    acc,
    epilogue: [{ kind: 'store', buffer: 2, index: at(m, N, n), value: { kind: 'result', dtype: 'f32', of: acc } }],
  };
}

/** What a check of matrix units depends on. */
export interface MatrixCheckCaps {
  readonly halves?: Halves | undefined;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupMemoryBytes: number;
}

/**
 * Whether matrix units of one config multiply exactly: numbers whose sums need f32, subnormal numbers, NaN and infinity, in a product of odd
 * sizes, by the code that all products get. Null where a workgroup is too small for them.
 */
export function checkMatrixUnits(units: MatrixUnits, caps: MatrixCheckCaps): Check<Verdict> | null {
  const packed = units.configs[0]!.component === 'f16';
  const kernel = product(packed);
  // The largest tiles have all that smaller ones have.
  const [schedule] = matrixSpace(kernel, { ...caps, matrixUnits: units });
  if (schedule === undefined) return null;
  const { code, workgroups } = renderMatrix(kernel, schedule, caps);
  const a = Array.from({ length: M * K }, (_, i) => left(Math.floor(i / K), i % K));
  const b = Array.from({ length: K * N }, (_, i) => right(Math.floor(i / N), i % N));
  return {
    code,
    workgroups,
    buffers: [wordsOf(a, packed), wordsOf(b, packed), new Uint32Array(M * N)],
    verdict(words) {
      const got = new Float32Array(words.buffer, words.byteOffset, words.length);
      const wrong = expected().filter((value, i) => !Object.is(value, got[i]) && value !== got[i]).length;
      return { fault: wrong === 0 ? null : `${wrong} of ${M * N} sums are wrong` };
    },
  };
}
