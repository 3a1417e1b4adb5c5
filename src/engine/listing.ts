import type { IndexVar, Kernel } from '../../kernels/ir.js';
import type { Plan, PlanBuffer, PlannedKernel } from './plan.js';

/** Where a buffer of a plan lies, in words. */
export function describePlace({ bytes, place }: PlanBuffer): string {
  return place.kind === 'arena' ? `arena ${place.offset} + ${bytes} bytes` : `${place.kind} ${place.index}`;
}

const loops = (vars: readonly IndexVar[]): string =>
  vars.length === 0 ? 'once' : vars.map(({ name, extent }) => `${name} < ${extent}`).join(', ');

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
export function accessesOf({ kernel, bindings }: PlannedKernel): { reads: number[]; writes: number[] } {
  const those = (unless: string): number[] => bindings.filter((_, i) => kernel.buffers[i]!.access !== unless);
  return { reads: those('write'), writes: those('read') };
}

/** A kernel in a few lines: what it computes over, reads and writes. */
export function describeKernel(plan: Pick<Plan, 'buffers'>, planned: PlannedKernel): string[] {
  const places = (buffers: readonly number[]): string =>
    buffers.map((b) => describePlace(plan.buffers[b]!)).join(', ') || 'nothing';
  const { reads, writes } = accessesOf(planned);
  return [
    ...describePoints(planned.kernel),
    `reads ${places(reads)}; writes ${places(writes)}; ${planned.kernel.flops} FLOP`,
  ];
}
