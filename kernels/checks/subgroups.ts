import source from '../../shaders/checkSubgroups.wgsl';
import { fillTemplate } from '../families/template.js';
import { type Subgroups, subgroupAttribute, subgroupDirectives } from '../render/wgsl-subgroups.js';
import type { Check, Verdict } from './check.js';

/** Invocations of a workgroup: a multiple of every size there is. */
const WORKGROUP = 256;
const WORKGROUPS = 64;

/**
 * Whether subgroups are what kernels take them for: all of one size, filled by the workgroup's invocations in order, and values reach the
 * invocation that they are shuffled to.
 */
export function checkSubgroups(subgroups: Subgroups): Check<Verdict> {
  const { size } = subgroups;
  const steps: number[] = [];
  for (let step = 1; step < size; step *= 2) steps.push(step);
  return {
    code: fillTemplate(source, {
      directives: subgroupDirectives(subgroups),
      attribute: subgroupAttribute(subgroups),
      workgroup: WORKGROUP,
      size,
      shuffles: steps.flatMap((step) => [
        `wrong += u32(subgroupShuffleXor(number, ${step}u) != (number ^ ${step}u));`,
        `wrong += u32(subgroupShuffleXor(negative, ${step}u) != -i32(number ^ ${step}u));`,
        `wrong += u32(subgroupShuffleXor(fraction, ${step}u) != f32(number ^ ${step}u) + 0.5f);`,
      ]),
    }),
    workgroups: [WORKGROUPS, 1, 1],
    buffers: [new Uint32Array(2)],
    verdict([wrong, tried]) {
      if (tried !== WORKGROUP * WORKGROUPS) return { fault: `only ${tried} invocations ran` };
      return { fault: wrong === 0 ? null : `${wrong} values are not where they should be` };
    },
  };
}
