import type { Coder, Program } from '../engine/engine.js';
import type { CodedPlan } from '../engine/plan.js';

/** Told how many kernels of a program are compiled, of how many. */
export type OnKernel = (ready: number, total: number) => void;

/** Has an engine compile code, telling `onKernel` of each kernel. */
export function loadCode(coder: Coder, plan: CodedPlan, onKernel?: OnKernel): Promise<Program> {
  if (onKernel === undefined) return coder.load(plan);
  const total = plan.kernels.length;
  let ready = 0;
  onKernel(0, total);
  return coder.load(plan, () => onKernel(++ready, total));
}
