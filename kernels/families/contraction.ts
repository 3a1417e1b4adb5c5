import { UnsupportedError } from '../../src/graph/index.js';
import type { ContractionKernel } from '../ir.js';
import { type RenderedKernel, signatureOf } from '../render/rendered.js';
import type { Halves } from '../render/wgsl-halves.js';
import { WgslModule } from '../render/wgsl-writer.js';
import { renderRegister } from './contractionRegister.js';
import type { ContractionSchedule } from './contractionSchedule.js';
import { renderShared } from './contractionShared.js';
import { renderUnrolled } from './contractionUnrolled.js';

export {
  type ContractionCaps,
  type ContractionSchedule,
  chooseContractionSchedule,
  contractionSpace,
  type LoadWidth,
  rankedContractionSpace,
  scheduleName,
} from './contractionSchedule.js';

/**
 * Renders a contraction under a schedule of its space; a schedule with `share` needs a device with the `subgroups` feature. `halves`: how the
 * device itself converts f16, where it does that right.
 *
 * @throws UnsupportedError for sums that are neither f32 nor integers
 */
export function renderContraction(
  kernel: ContractionKernel,
  schedule: ContractionSchedule,
  { halves }: { readonly halves?: Halves | undefined } = {},
): RenderedKernel {
  if (kernel.dtype === 'bool') {
    throw new UnsupportedError(`[contraction] ${kernel.name} sums ${kernel.dtype} (expected f32, i32 or u32)`);
  }
  const { batch, m, n } = kernel;
  if (batch.extent * m.extent * n.extent === 0) {
    const code = '@compute @workgroup_size(1)\nfn main() {}\n';
    return { code, entryPoint: 'main', workgroups: [0, 0, 0], ...signatureOf(kernel) };
  }
  const render = { register: renderRegister, shared: renderShared, unrolled: renderUnrolled }[schedule.kind];
  const moduleWith = (vec4Buffers?: ReadonlySet<number>): WgslModule => {
    const module = new WgslModule(kernel, { halves, ...(vec4Buffers ? { vec4Buffers } : {}) });
    if (kernel.meet) module.functions.directives.add('requires packed_4x8_integer_dot_product;');
    return module;
  };
  const module = moduleWith();
  let rendered = render(module, kernel, schedule);
  // Only a rendering shows which buffers are read and written by whole vec4s alone.
  const vec4Buffers = module.vec4Candidates();
  if (vec4Buffers.size > 0) rendered = render(moduleWith(vec4Buffers), kernel, schedule);
  return { ...rendered, entryPoint: 'main', ...signatureOf(kernel) };
}
