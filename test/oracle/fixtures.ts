import { readFileSync } from 'node:fs';
import { ARRAYS, type DType, type Shape, sizeOf, type TypedArray } from '../../src/graph/index.js';

/** JSON, with the words nan, inf, -inf and -0 for those numbers, and "$0" for the first input. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface EncodedArray {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly data: readonly (number | string)[] | { readonly repeat: number | string };
}

/** One call of a public function, with what PyTorch computes for it (see generate.py). */
export interface OracleCase {
  readonly op: string;
  readonly name: string;
  readonly args: readonly Json[];
  readonly inputs: readonly EncodedArray[];
  /** Movements to apply to an input first, by its number: [function, arguments after the tensor]. */
  readonly views?: Readonly<Record<string, readonly (readonly [string, ...Json[]])[]>>;
  /** Weights of the outputs, from which the gradients come. */
  readonly cotangents?: readonly EncodedArray[];
  readonly outputs: readonly EncodedArray[];
  /** Of each input; null for those that have none. */
  readonly grads?: readonly (EncodedArray | null)[];
}

export const FIXTURES = [
  'elementwise',
  'special',
  'integers',
  'reducing',
  'moving',
  'contracting',
  'composing',
  'pointwise',
  'combining',
  'arranging',
  'indexing',
  'ordering',
  'products',
  'transforms',
  'imaging',
  'sampling',
  'statistics',
  'running',
  'normalizing',
  'losing',
  'spectra',
  'signals',
  'bessel',
  'linalg',
  'eigenvalues',
  'packed',
] as const;

/** The cases of a fixture file, without `.json`. */
export function loadCases(name: string): OracleCase[] {
  const url = new URL(`../fixtures/oracle/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as OracleCase[];
}

const WORDS: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity, '-0': -0 };

/** The number that a JSON value stands for. */
export const decodeNumber = (value: number | string): number => (typeof value === 'number' ? value : WORDS[value]!);

/** Whether a string stands for a number. */
export const isNumberWord = (value: string): boolean => Object.hasOwn(WORDS, value);

export function decode({ shape, dtype, data }: EncodedArray): TypedArray {
  const array = new ARRAYS[dtype](sizeOf(shape));
  if ('repeat' in data) return array.fill(decodeNumber(data.repeat));
  if (data.length !== array.length) throw new Error(`a fixture has ${data.length} numbers for the shape [${shape}]`);
  data.forEach((value, i) => {
    array[i] = decodeNumber(value);
  });
  return array;
}

/** For running every case on the reference engine, on a machine with other work. */
export const REFERENCE_TIMEOUT_MS = 300_000;
