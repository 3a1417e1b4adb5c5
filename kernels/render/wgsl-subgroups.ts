import type { WordDType } from '../../src/graph/index.js';

/** Subgroups of one known size: invocation i of a workgroup is number i % size of its subgroup i / size (tried out: `checkSubgroups`). */
export interface Subgroups {
  readonly size: number;
  /** The adapter has several sizes, and kernels must ask for this one, which needs the feature `subgroup-size-control`. */
  readonly pinned: boolean;
}

/** What must stand at the start of a module that uses them. */
export const subgroupDirectives = ({ pinned }: Subgroups): string[] => [
  'enable subgroups;',
  ...(pinned ? ['enable subgroup_size_control;'] : []),
];

/** What follows the workgroup's size in front of an entry point. */
export const subgroupAttribute = ({ size, pinned }: Subgroups): string => (pinned ? ` @subgroup_size(${size})` : '');

/** A value of the invocation whose number differs in the bit `step`. */
export const shuffled = (code: string, dtype: WordDType, step: number): string =>
  dtype === 'bool' ? `bool(subgroupShuffleXor(u32(${code}), ${step}u))` : `subgroupShuffleXor(${code}, ${step}u)`;
