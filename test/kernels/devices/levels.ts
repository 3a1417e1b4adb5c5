import type { Capabilities } from '../../../src/engine/engine.js';

/** What GPUs have, in three steps: nothing beyond WebGPU itself; subgroups; all that kernels know to use. */
export const LEVELS = {
  baseline: {},
  subgroups: { subgroups: true, packedDot: true, fixedSubgroups: { size: 32, pinned: false } },
  everything: {
    subgroups: true,
    packedDot: true,
    fixedSubgroups: { size: 32, pinned: true },
    halves: { toF32: 'f16', toF16: 'f16' },
    matrixUnits: {
      subgroups: { size: 32, pinned: true },
      configs: [
        { component: 'f16', m: 16, n: 16, k: 16 },
        { component: 'f32', m: 8, n: 8, k: 8 },
      ],
    },
  },
} satisfies Record<string, Partial<Capabilities>>;

export type Level = keyof typeof LEVELS;
export const levels = Object.keys(LEVELS) as Level[];
