import type { Expr, LoopKernel } from '../../ir.js';
import { pointsOf } from '../nest.js';
import type { WasmSegment } from './analysis.js';
import { i32, op, select, type Value } from './encoder.js';
import { type KernelFunction, WasmKernelModule } from './kernel-module.js';
import type { WasmFeatures, WasmKernel } from './rendered.js';
import { reshapeSegment } from './reshape-segment.js';
import { joinPasses } from './row-passes.js';
import { ScratchBuffers } from './scratch.js';
import { type SegmentSchedule, SegmentWriter } from './segment.js';
import { chooseSchedule } from './segment-schedule.js';
import { splitLong } from './split-long.js';
import { LOOP_TUNING, type LoopTuning } from './tuning.js';

interface Scheduled {
  readonly segment: WasmSegment;
  readonly schedule: SegmentSchedule;
}

/** Renders a loop kernel to WebAssembly. */
export function renderLoopKernelToWasm(
  kernel: LoopKernel,
  features: WasmFeatures,
  tuning: LoopTuning = LOOP_TUNING,
): WasmKernel {
  const scratch = new ScratchBuffers(kernel.buffers.length);
  const nonPositive = new Set<Expr>();
  const phases: Scheduled[][] = [];
  for (const segment of kernel.segments) {
    if (pointsOf(segment.parallel) === 0 || segment.body.length === 0) continue;
    splitLong(reshapeSegment(segment, tuning), scratch, tuning).forEach((parts, i) => {
      phases[i] = [...(phases[i] ?? []), ...parts.map((part) => scheduled(part, scratch, nonPositive, tuning))];
    });
  }
  const module = new WasmKernelModule(kernel, features, scratch, nonPositive);
  phases.forEach((parts, i) => void writePhase(module, `phase${i}`, parts));
  return module.finish();
}

function scheduled(
  segment: WasmSegment,
  scratch: ScratchBuffers,
  nonPositive: Set<Expr>,
  tuning: LoopTuning,
): Scheduled {
  const schedule = chooseSchedule(segment, tuning);
  if (schedule.lanes === 'points') return { segment, schedule };
  scratch.nextSegment();
  const joined = joinPasses(segment, scratch, nonPositive);
  return { segment: joined, schedule: chooseSchedule(joined, { ...tuning, lanes: 'inner' }) };
}

function writePhase(module: WasmKernelModule, name: string, parts: readonly Scheduled[]): void {
  const written = parts.map(({ segment, schedule }, i) => {
    const f = module.function(`${name}segment${i}`);
    new SegmentWriter(f, segment, schedule).write();
    return { f, schedule };
  });
  const tasks = written.reduce((sum, { schedule }) => sum + schedule.tasks, 0);
  const cost = written.reduce((sum, { schedule }) => sum + schedule.tasks * schedule.taskCost, 0);
  const phase = { name, tasks, taskCost: cost / tasks };
  module.phase(phase, written.length === 1 ? written[0]!.f : joinedFunctions(module, name, written));
}

/** A function whose tasks are those of several functions, one after another. */
function joinedFunctions(
  module: WasmKernelModule,
  name: string,
  parts: readonly { f: KernelFunction; schedule: SegmentSchedule }[],
): KernelFunction {
  const all = module.function(name);
  let start = 0;
  for (const { f, schedule } of parts) {
    const from = all.body.let(below(all.begin, start));
    const to = all.body.let(below(all.end, start));
    const end = all.body.let(select(to, i32(schedule.tasks), op('i32.lt_s', to, i32(schedule.tasks))));
    all.body.if(op('i32.lt_s', from, end), (inner) => inner.call(f.fn, from, end, all.table, all.scratch));
    start += schedule.tasks;
  }
  return all;
}

/** A task's number among those from `start` on; 0 for those before. */
function below(task: Value, start: number): Value {
  return select(op('i32.sub', task, i32(start)), i32(0), op('i32.gt_u', task, i32(start)));
}
