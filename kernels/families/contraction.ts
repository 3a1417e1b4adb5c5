import { UnsupportedError } from '../../src/graph/index.js';
import type { ContractionKernel } from '../ir.js';
import { WgslModule } from '../render/wgsl-writer.js';
import { renderRegister } from './contractionRegister.js';
import type { ContractionSchedule } from './contractionSchedule.js';
import { renderShared } from './contractionShared.js';

export {
  type ContractionCaps,
  type ContractionSchedule,
  chooseContractionSchedule,
  contractionSpace,
  type LoadWidth,
  scheduleName,
} from './contractionSchedule.js';

/** WGSL of one kernel and how to launch it: bind buffer i of the kernel at @binding(i), then the params as a uniform. */
export interface RenderedContraction {
  readonly code: string;
  readonly entryPoint: string;
  readonly workgroups: readonly [number, number, number];
}

/**
 * Renders a contraction under a schedule of its space. Every binding must be at least as large as the kernel's buffer.
 *
 * @throws UnsupportedError for sums that are neither f32 nor integers
 */
export function renderContraction(kernel: ContractionKernel, schedule: ContractionSchedule): RenderedContraction {
  if (kernel.dtype === 'bool') {
    throw new UnsupportedError(`[contraction] ${kernel.name} sums ${kernel.dtype} (expected f32, i32 or u32)`);
  }
  const { batch, m, n } = kernel;
  if (batch.extent * m.extent * n.extent === 0) {
    return { code: '@compute @workgroup_size(1)\nfn main() {}\n', entryPoint: 'main', workgroups: [0, 0, 0] };
  }
  const render = schedule.kind === 'register' ? renderRegister : renderShared;
  const module = new WgslModule(kernel);
  let rendered = render(module, kernel, schedule);
  // Only a rendering shows which buffers are read and written by whole vec4s alone.
  const vec4Buffers = module.vec4Candidates();
  if (vec4Buffers.size > 0) rendered = render(new WgslModule(kernel, { vec4Buffers }), kernel, schedule);
  return { ...rendered, entryPoint: 'main' };
}
