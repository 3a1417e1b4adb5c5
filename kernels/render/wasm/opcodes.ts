/**
 * Operations without immediates, in runs of consecutive opcodes: the first opcode, the type that the names start with, the names.
 * Opcodes from 0x100 have the prefix 0xfd (SIMD) and the rest as their number. Notes: `andnot` is the first operand without the bits
 * of the second; `bitselect` and `relaxed_laneselect` take from the first operand where the third has ones, else from the second;
 * `pmin` is b < a ? b : a, `pmax` a < b ? b : a; `relaxed_madd` is a * b + c, `relaxed_nmadd` c - a * b.
 */
const RUNS = [
  [0x45, 'i32', 'eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'],
  [0x6a, 'i32', 'add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u'],
  [0x111, 'i32x4', 'splat'],
  [0x137, 'i32x4', 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'],
  [0x141, 'f32x4', 'eq ne lt gt le ge'],
  [0x14d, 'v128', 'not and andnot or xor bitselect any_true'],
  [0x167, 'f32x4', 'ceil floor trunc nearest'],
  [0x1a0, 'i32x4', 'abs neg'],
  [0x1ab, 'i32x4', 'shl shr_s shr_u add'],
  [0x1b1, 'i32x4', 'sub'],
  [0x1b5, 'i32x4', 'mul min_s min_u max_s max_u'],
  [0x1e0, 'f32x4', 'abs neg'],
  [0x1e3, 'f32x4', 'sqrt add sub mul div min max pmin pmax'],
  [0x1f8, 'i32x4', 'trunc_sat_f32x4_s trunc_sat_f32x4_u'],
  [0x1fa, 'f32x4', 'convert_i32x4_s convert_i32x4_u'],
  [0x201, 'i32x4', 'relaxed_trunc_f32x4_s relaxed_trunc_f32x4_u'],
  [0x205, 'f32x4', 'relaxed_madd relaxed_nmadd'],
  [0x20b, 'i32x4', 'relaxed_laneselect'],
] as const;

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;
type NamesOf<Run> = Run extends readonly [number, infer Type extends string, infer Names extends string]
  ? `${Type}.${Words<Names>}`
  : never;

export type ValType = 'i32' | 'v128';

/** The name of an operation in the WebAssembly text format. */
export type Operation = NamesOf<(typeof RUNS)[number]>;

export const OPERATIONS = {} as Readonly<Record<Operation, { readonly code: number; readonly type: ValType }>>;
for (const [first, lanes, names] of RUNS) {
  names.split(' ').forEach((name, i) => {
    const type = lanes === 'i32' || name === 'any_true' ? 'i32' : 'v128';
    Object.assign(OPERATIONS, { [`${lanes}.${name}`]: { code: first + i, type } });
  });
}

/** Operations with a lane number: opcode (all SIMD), type. */
export const LANE_OPERATIONS = {
  'i32x4.extract_lane': [0x1b, 'i32'],
  'i32x4.replace_lane': [0x1c, 'v128'],
} as const satisfies Record<string, readonly [code: number, type: ValType]>;

/** Loads: opcode, type, log2 of the natural alignment. */
export const LOADS = {
  'i32.load': [0x28, 'i32', 2],
  'v128.load': [0x100, 'v128', 4],
  'v128.load32_splat': [0x109, 'v128', 2],
} as const satisfies Record<string, readonly [code: number, type: ValType, align: number]>;

/** Stores from one lane: opcode, alignment. */
export const LANE_STORES = {
  'v128.store32_lane': [0x5a, 2],
  'v128.store64_lane': [0x5b, 3],
} as const satisfies Record<string, readonly [code: number, align: number]>;
