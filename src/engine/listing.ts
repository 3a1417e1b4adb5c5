import type { IndexVar, Kernel } from '../../kernels/ir.js';
import type { OutlinedKernel, Plan, PlanBuffer, PlannedKernel } from './plan.js';

/** Where a buffer of a plan lies, in words. */
export function describePlace({ bytes, place }: PlanBuffer): string {
  return place.kind === 'arena' ? `arena ${place.offset} + ${bytes} bytes` : `${place.kind} ${place.index}`;
}

/** Loops that turn more than once. */
const loops = (vars: readonly IndexVar[]): string =>
  vars.flatMap(({ name, extent }) => (extent === 1 ? [] : [`${name} < ${extent}`])).join(', ') || 'one point';

/** The independent points of a kernel, a line for each fused group that shares its launch. */
export function describePoints(kernel: Kernel): string[] {
  if (kernel.kind === 'contraction') {
    const { batch, m, n, k } = kernel;
    return [`for ${loops([batch, m, n])}: sum over ${loops([k])}`];
  }
  if (kernel.kind === 'routine') return [`for ${loops([kernel.batch])}: a program of its own`];
  return kernel.segments.map(({ parallel, body }) => {
    const reduced = body.flatMap((s) => (s.kind === 'reduce' ? [loops(s.vars)] : []));
    return `for ${loops(parallel)}${reduced.length > 0 ? `: over ${reduced.join('; ')}` : ''}`;
  });
}

/** The buffers that a kernel reads and those that it writes, by index of the plan's buffer; what it does both to is in both. */
export function accessesOf({ kernel, bindings }: OutlinedKernel): { reads: number[]; writes: number[] } {
  const those = (unless: string): number[] => bindings.filter((_, i) => kernel.buffers[i]!.access !== unless);
  return { reads: those('write'), writes: those('read') };
}

/** Whether the tree of a kernel is there: not of one that an earlier process planned. */
export const isWhole = (planned: OutlinedKernel): planned is PlannedKernel => 'kind' in planned.kernel;

/** A kernel in a few lines: what it computes over, where that is known, reads and writes. */
export function describeKernel(plan: Pick<Plan, 'buffers'>, planned: OutlinedKernel): string[] {
  const places = (buffers: readonly number[]): string =>
    buffers.map((b) => describePlace(plan.buffers[b]!)).join(', ') || 'nothing';
  const { reads, writes } = accessesOf(planned);
  return [
    ...(isWhole(planned) ? describePoints(planned.kernel) : []),
    `reads ${places(reads)}; writes ${places(writes)}; ${planned.kernel.flops} FLOP`,
  ];
}
