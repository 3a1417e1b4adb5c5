import source from '../../shaders/checkHalves.wgsl';
import { fillTemplate } from '../families/template.js';
import { castFn } from '../numerics/packed.js';
import type { HalfWay, Halves } from '../render/wgsl-halves.js';
import { WgslHelpers, type Width } from '../render/wgsl-values.js';
import type { Check, Verdict } from './check.js';

const value = castFn({ x: { dtype: 'u32' }, dtype: 'f32', via: 'f16' });
const bits = castFn({ x: { dtype: 'f32' }, dtype: 'u32', via: 'f16' });
const round = castFn({ x: { dtype: 'f32' }, dtype: 'f32', via: 'f16' });

export interface HalvesVerdict extends Verdict {
  /** The directions that are right. */
  readonly halves: Halves;
}

/**
 * Whether an adapter converts f16 as kernels/numerics does: all 65,536 halves to f32; and to halves each of them, the middle between each and
 * the next, and the f32 numbers on either side of that middle, where rounding turns over.
 */
export function checkHalves(way: HalfWay): Check<HalvesVerdict> {
  const helpers = new WgslHelpers(() => 'wrong');
  const own = new WgslHelpers(() => 'wrong', { toF32: way, toF16: way });
  const each = (fn: typeof value, from: WgslHelpers, of: string): string =>
    ['x', 'y', 'z', 'w'].map((component) => from.call(fn, [`${of}.${component}`], 1)).join(', ');
  const at = (fn: typeof value, from: WgslHelpers, of: string, width: Width): string => from.call(fn, [of], width);
  const filling = {
    value: at(value, helpers, 'half', 1),
    next: at(value, helpers, '(half + 1u)', 1),
    values: each(value, helpers, 'four'),
    rounded: each(bits, helpers, 'probes'),
    back: at(round, helpers, 'probes', 4),
    ownValue: at(value, own, 'half', 1),
    ownValues: at(value, own, 'four', 4),
    ownRounded: at(bits, own, 'probes', 4),
    ownRoundedEach: each(bits, own, 'probes'),
    ownBack: at(round, own, 'probes', 4),
    ownBackEach: each(round, own, 'probes'),
  };
  return {
    code: fillTemplate(source, {
      ...filling,
      directives: [...own.directives],
      helpers: `${helpers.text()}\n${own.text()}`,
    }),
    workgroups: [1024, 1, 1],
    buffers: [new Uint32Array(3)],
    verdict([values, roundings, tried]) {
      if (tried !== 65536) return { halves: { toF32: null, toF16: null }, fault: `only ${tried} halves were tried` };
      return {
        halves: { toF32: values === 0 ? way : null, toF16: roundings === 0 ? way : null },
        fault:
          values === 0 && roundings === 0
            ? null
            : `${values} values in f32 and ${roundings} roundings to f16 are wrong`,
      };
    },
  };
}
