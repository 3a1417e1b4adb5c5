import type { LoopKernel } from '../ir.js';
import { gridOf, type RenderedKernel, signatureOf } from './rendered.js';
import type { LoopSchedule } from './schedule.js';
import type { Halves } from './wgsl-halves.js';
import { indent, SegmentWriter, WorkgroupArrays } from './wgsl-segment.js';
import { subgroupAttribute } from './wgsl-subgroups.js';
import { WgslModule } from './wgsl-writer.js';

/** The limit of every WebGPU implementation. */
const MAX_WORKGROUPS_PER_DIMENSION = 65535;

/** Renders a loop kernel to WGSL. A schedule that does not fit the kernel (a vector variable whose points are no fours) is an error. */
export function renderLoopKernel(
  kernel: LoopKernel,
  schedule: LoopSchedule,
  device: { readonly maxWorkgroupsPerDimension: number; readonly halves?: Halves | undefined } = {
    maxWorkgroupsPerDimension: MAX_WORKGROUPS_PER_DIMENSION,
  },
): RenderedKernel {
  const { maxWorkgroupsPerDimension, halves } = device;
  const first = new LoopRenderer(new WgslModule(kernel, { halves }), kernel, schedule, maxWorkgroupsPerDimension);
  const rendered = first.render();
  // Only a first rendering tells which buffers are read and written by whole vectors alone.
  const vec4Buffers = first.module.vec4Candidates();
  if (vec4Buffers.size === 0) return rendered;
  const module = new WgslModule(kernel, { vec4Buffers, halves });
  return new LoopRenderer(module, kernel, schedule, maxWorkgroupsPerDimension).render();
}

class LoopRenderer {
  constructor(
    readonly module: WgslModule,
    private readonly kernel: LoopKernel,
    private readonly schedule: LoopSchedule,
    private readonly maxWorkgroups: number,
  ) {}

  render(): RenderedKernel {
    const { workgroupSize, segments, subgroups = null } = this.schedule;
    const arrays = new WorkgroupArrays(workgroupSize / (subgroups?.size ?? 1));
    const writers = this.kernel.segments
      .map((segment, i) => new SegmentWriter(this.module, arrays, segment, segments[i]!, workgroupSize, subgroups))
      .filter(({ groups }) => groups > 0);
    const total = writers.reduce((sum, { groups }) => sum + groups, 0);
    const workgroups = gridOf(this.kernel.name, total, this.maxWorkgroups);
    const bodies = writers.map((writer) => writer.body());

    const functions: string[] = [];
    const main: string[] = [];
    if (writers.length > 0) {
      const folded = workgroups[1] > 1 ? ` + workgroup.y * ${workgroups[0]}u` : '';
      main.push(`let group = workgroup.x${folded};`);
    }
    if (writers.length === 1) {
      if (workgroups[0] * workgroups[1] > total) main.push(`if (group >= ${total}u) { return; }`);
      main.push(...bodies[0]!);
    } else {
      let start = 0;
      writers.forEach(({ groups }, i) => {
        functions.push(`fn segment${i}(group: u32, lane: u32) {`, ...indent(bodies[i]!), '}');
        const call = `segment${i}(${start === 0 ? 'group' : `group - ${start}u`}, lane);`;
        start += groups;
        main.push(`${i === 0 ? '' : '} else '}if (group < ${start}u) {`, `  ${call}`);
      });
      if (writers.length > 0) main.push('}');
    }
    const joins = writers.some(({ joinsSubgroups }) => joinsSubgroups);
    const code = [
      this.module.declarations(),
      ...arrays.declarations(),
      this.module.helpers(),
      ...functions,
      `@compute @workgroup_size(${workgroupSize})${joins ? subgroupAttribute(subgroups!) : ''}`,
      'fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
      ...indent(main),
      '}',
      '',
    ];
    return {
      code: code.filter((part, i) => part !== '' || i === code.length - 1).join('\n'),
      entryPoint: 'main',
      workgroups,
      ...signatureOf(this.kernel),
    };
  }
}
