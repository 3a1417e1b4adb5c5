import type { NumericFn } from '../numerics/index.js';
import type { Width } from './wgsl-values.js';

/** By the functions that every WGSL has for pairs of halves, or by the type f16, which needs the feature `shader-f16`. */
export type HalfWay = 'builtins' | 'f16';

/**
 * How an adapter converts f16 by itself, each direction where it was tried out and right (`checkHalves`): WGSL promises neither how it
 * rounds, nor to keep subnormal numbers, infinity and NaN. Otherwise the integers of kernels/numerics compute it.
 */
export interface Halves {
  readonly toF32: HalfWay | null;
  readonly toF16: HalfWay | null;
}

const each = (text: (component: string) => string): string =>
  `vec4<f32>(${['a0.x', 'a0.y', 'a0.z', 'a0.w'].map(text).join(', ')})`;
const fourOf = (low: string, high: string): string =>
  `vec4<u32>(${low} & 0xffffu, ${low} >> 16u, ${high} & 0xffffu, ${high} >> 16u)`;

/** What the functions of kernels/numerics/packed.ts return, for one value and for four. */
const RESULTS: Record<HalfWay, Record<string, readonly [one: string, four: string]>> = {
  builtins: {
    half_value: ['unpack2x16float(a0).x', each((x) => `unpack2x16float(${x}).x`)],
    half_bits: ['pack2x16float(vec2<f32>(a0, 0f))', fourOf('pack2x16float(a0.xy)', 'pack2x16float(a0.zw)')],
    half_round: [
      'unpack2x16float(pack2x16float(vec2<f32>(a0, 0f))).x',
      'vec4<f32>(unpack2x16float(pack2x16float(a0.xy)), unpack2x16float(pack2x16float(a0.zw)))',
    ],
  },
  f16: {
    half_value: ['f32(bitcast<vec2<f16>>(a0).x)', each((x) => `f32(bitcast<vec2<f16>>(${x}).x)`)],
    half_bits: [
      'bitcast<u32>(vec2<f16>(f16(a0), 0h))',
      fourOf('bitcast<u32>(vec2<f16>(a0.xy))', 'bitcast<u32>(vec2<f16>(a0.zw))'),
    ],
    half_round: ['f32(f16(a0))', 'vec4<f32>(vec4<f16>(a0))'],
  },
};

/** The way by which an adapter itself computes a numeric function, and what the function of `a0` returns; null where it does not. */
export function ownHalf({ name }: NumericFn, halves: Halves, width: Width): { way: HalfWay; result: string } | null {
  const way = name === 'half_value' ? halves.toF32 : halves.toF16;
  const known = way === null ? undefined : RESULTS[way][name];
  return way === null || known === undefined ? null : { way, result: known[width === 1 ? 0 : 1] };
}
