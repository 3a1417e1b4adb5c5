import {
  type ContractionSchedule,
  rankedContractionSpace,
  renderContraction,
  scheduleName,
} from '../../../kernels/families/contraction.js';
import { contractionBucket, scheduleLike } from '../../../kernels/families/contractionBucket.js';
import type { ContractionKernel, Kernel } from '../../../kernels/ir.js';
import { OutOfMemoryError } from '../../graph/index.js';
import type { Capabilities, KernelEngine } from '../engine.js';
import type { CodedPlan, Plan } from '../plan.js';
import { search } from '../search.js';
import type { Choice, Trial, TunedKernel, TuneOptions } from '../tuning.js';
import { agreesOver } from './agreement.js';
import type { LiveDevice } from './device.js';
import { KernelBench } from './kernelBench.js';
import { hasOwnForm } from './rendering.js';

export interface TuneTools {
  readonly engine: KernelEngine;
  readonly device: LiveDevice;
}

/** The kernels of a plan for which one schedule is chosen. */
interface Group {
  readonly bucket: string;
  readonly kernels: ContractionKernel[];
}

const hasWork = (kernel: Kernel): kernel is ContractionKernel =>
  kernel.kind === 'contraction' && kernel.batch.extent * kernel.m.extent * kernel.n.extent * kernel.k.extent > 0;

const flopsOf = ({ kernels }: Group): number => kernels.reduce((sum, { flops }) => sum + flops, 1);

function groupsOf(plan: Plan, capabilities: Capabilities): Group[] {
  const groups = new Map<string, Group>();
  for (const { kernel } of plan.kernels) {
    if (!hasWork(kernel) || hasOwnForm(kernel, capabilities)) continue;
    const bucket = contractionBucket(kernel);
    const group = groups.get(bucket) ?? { bucket, kernels: [] };
    groups.set(bucket, group);
    group.kernels.push(kernel);
  }
  // Where time is short, it goes to what most of the plan's own time goes to.
  return [...groups.values()].sort((a, b) => flopsOf(b) - flopsOf(a));
}

/** Renders a plan with the best schedules of its contractions that are known, or found by measuring within the budget. */
export async function tunePlan(plan: Plan, options: TuneOptions, tools: TuneTools): Promise<CodedPlan> {
  const { engine } = tools;
  const coded = (await engine.coder!.renderer(plan))();
  const groups = groupsOf(plan, engine.capabilities);
  const end = performance.now() + options.seconds * 1000;
  let flops = groups.reduce((sum, group) => sum + flopsOf(group), 0);
  const tuned: TunedKernel[] = [];
  const schedules = new Map<Kernel, ContractionSchedule>();
  for (const [i, group] of groups.entries()) {
    const now = performance.now();
    const share = flopsOf(group) / flops;
    flops -= flopsOf(group);
    const isOpen = options.seconds > 0 && (i === 0 || now < end);
    const deadline = isOpen ? now + (end - now) * share : null;
    const { row, choice } = await tuneGroup(group, deadline, options, tools);
    tuned.push(row);
    if (choice === null) continue;
    for (const kernel of group.kernels) {
      const [heuristic, ...others] = rankedContractionSpace(kernel, engine.capabilities);
      const chosen = scheduleLike([heuristic!, ...others], choice.schedule);
      if (chosen !== null && scheduleName(chosen) !== scheduleName(heuristic!)) schedules.set(kernel, chosen);
    }
  }
  const kernels = coded.kernels.map((planned) => {
    const schedule = schedules.get(planned.kernel as Kernel);
    if (schedule === undefined) return planned;
    const { code, entryPoint, workgroups } = renderContraction(
      planned.kernel as ContractionKernel,
      schedule,
      engine.capabilities,
    );
    return { ...planned, code: { code, entryPoint, workgroups } };
  });
  return { ...coded, kernels, tuned };
}

/** What is chosen for kernels of one bucket, and how that was found; nothing is measured without a deadline. */
async function tuneGroup(
  { bucket, kernels }: Group,
  deadline: number | null,
  { choices, again }: TuneOptions,
  tools: TuneTools,
): Promise<{ row: TunedKernel; choice: Choice | null }> {
  const [kernel] = kernels as [ContractionKernel];
  const space = rankedContractionSpace(kernel, tools.engine.capabilities);
  const recalled = again ? null : await choices.recall(bucket);
  // What an earlier search chose may be gone from the space.
  const known = recalled !== null && scheduleLike(space, recalled.schedule) !== null ? recalled : null;
  let choice = known;
  if (known?.complete !== true && deadline !== null) {
    choice = (await measure(kernel, space, deadline, known?.trials ?? [], tools)) ?? known;
    if (choice !== null && choice !== known) await choices.keep(bucket, choice);
  }
  const heuristic = scheduleName(space[0]!);
  const best = (choice && scheduleLike(space, choice.schedule)) ?? space[0]!;
  const trials = choice?.trials ?? [];
  // Those of another kernel of the bucket have its names.
  const bestTrial = trials.find(({ schedule }) => schedule === choice?.best);
  const row: TunedKernel = {
    kernel: kernel.name,
    count: kernels.length,
    bucket,
    heuristic,
    heuristicMs: bestTrial?.heuristicMs ?? null,
    best: scheduleName(best),
    bestMs: bestTrial?.ms ?? null,
    candidates: space.length,
    measured: trials.filter(({ outcome }) => outcome === 'measured').length,
    rejected: trials.filter(({ outcome }) => outcome !== 'measured').length,
    complete: choice?.complete === true,
    recalled: choice !== null && choice === known,
    keptAs: choice?.best ?? null,
    trials,
  };
  return { row, choice };
}

/** Measures the space; null where the kernel's data does not fit into memory beside what is there. */
async function measure(
  kernel: ContractionKernel,
  space: readonly ContractionSchedule[],
  deadline: number,
  known: readonly Trial[],
  { engine, device }: TuneTools,
): Promise<Choice | null> {
  let bench: KernelBench;
  try {
    bench = new KernelBench(engine, device, kernel);
  } catch (error) {
    if (error instanceof OutOfMemoryError) return null;
    throw error;
  }
  try {
    const candidates = space.map((schedule) => ({
      name: scheduleName(schedule),
      make: async () => bench.contender(renderContraction(kernel, schedule, engine.capabilities)),
    }));
    const found = await search(candidates, {
      deadline,
      now: () => performance.now(),
      agrees: agreesOver(kernel.k.extent),
      known,
    });
    const best = space.find((schedule) => scheduleName(schedule) === found.best)!;
    return { schedule: { ...best }, ...found };
  } finally {
    bench.release();
  }
}
