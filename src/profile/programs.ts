import type { Engine, Program } from '../engine/engine.js';
import { accessesOf, describePlace, describePoints, isWhole } from '../engine/listing.js';
import type { OutlinedKernel, PlanOutline } from '../engine/plan.js';
import { printKernel } from '../engine/plan-only/printKernel.js';
import type { KernelSpan } from './collector.js';

/** A fused kernel of a program, for a picture of it. */
export interface KernelPicture {
  readonly name: string;
  readonly points: readonly string[];
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  readonly flops: number;
  readonly bytes: number;
  /** Milliseconds of one run, on average; null where it was not timed. */
  readonly ms: number | null;
  /** Loop nest and generated code, by what they are written in. */
  readonly sources: readonly { readonly language: string; readonly text: string }[];
  /** Kernels of the program whose results it reads. */
  readonly after: readonly number[];
  /** Length of the longest way here from a kernel that reads none. */
  readonly depth: number;
}

export interface ProgramPicture {
  readonly runs: number;
  readonly kernels: readonly KernelPicture[];
  /** Kernels beyond those that are shown. */
  readonly more: number;
  readonly arenaBytes: number;
}

/** Kernels shown of one program, and programs shown: a page stays small. */
const MOST_KERNELS = 60;
const MOST_PROGRAMS = 4;

const sameKernel = (name: string, flops: number, bytes: number): string => `${name} ${flops} ${bytes}`;

/** Pictures of the programs that ran, those that took longest first; none of engines that interpret graphs. */
export function picturePrograms(
  engine: Engine,
  programs: ReadonlyMap<Program, number>,
  spans: readonly KernelSpan[],
): ProgramPicture[] {
  const timed = new Map<string, { runs: number; ms: number }>();
  for (const { kernel, flops, bytes, ms } of spans) {
    const key = sameKernel(kernel, flops, bytes);
    const sum = timed.get(key) ?? { runs: 0, ms: 0 };
    timed.set(key, { runs: sum.runs + 1, ms: sum.ms + ms });
  }
  const bytesOf = (plan: PlanOutline, { bindings }: OutlinedKernel): number =>
    bindings.reduce((sum, b) => sum + plan.buffers[b]!.bytes, 0);
  const average = (plan: PlanOutline, planned: OutlinedKernel): number | null => {
    const { name, flops } = planned.kernel;
    const sum = timed.get(sameKernel(name, flops, bytesOf(plan, planned)));
    return sum === undefined ? null : sum.ms / sum.runs;
  };
  const cost = (plan: PlanOutline, runs: number): number =>
    runs * plan.kernels.reduce((sum, k) => sum + (average(plan, k) ?? 1e-6), 0);

  return [...programs]
    .flatMap(([{ plan }, runs]) => (plan === undefined || plan.kernels.length === 0 ? [] : [{ plan, runs }]))
    .sort((a, b) => cost(b.plan, b.runs) - cost(a.plan, a.runs))
    .slice(0, MOST_PROGRAMS)
    .map(({ plan, runs }) => ({
      runs,
      kernels: pictureKernels(engine, plan).map((picture, i) => ({
        ...picture,
        bytes: bytesOf(plan, plan.kernels[i]!),
        ms: average(plan, plan.kernels[i]!),
      })),
      more: Math.max(0, plan.kernels.length - MOST_KERNELS),
      arenaBytes: plan.arenaBytes,
    }));
}

function pictureKernels(engine: Engine, plan: PlanOutline): Omit<KernelPicture, 'ms' | 'bytes'>[] {
  const writer = new Map<number, number>();
  const depths: number[] = [];
  return plan.kernels.slice(0, MOST_KERNELS).map((planned, at) => {
    const { kernel } = planned;
    const { reads, writes } = accessesOf(planned);
    const after = [...new Set(reads.flatMap((b) => writer.get(b) ?? []))];
    depths.push(Math.max(0, ...after.map((k) => depths[k]! + 1)));
    for (const b of writes) writer.set(b, at);
    const place = (b: number): string => describePlace(plan.buffers[b]!);
    const code = engine.kind === 'kernel' ? engine.codeOf?.(planned) : undefined;
    const nest = isWhole(planned) ? [{ language: 'loop nest', text: printKernel(planned.kernel) }] : [];
    return {
      name: kernel.name,
      points: isWhole(planned) ? describePoints(planned.kernel) : ['planned by an earlier process'],
      reads: reads.map(place),
      writes: writes.map(place),
      flops: kernel.flops,
      // WebAssembly has no text: what it is made from says more than its size.
      sources: code === undefined ? nest : code.language === 'WGSL' ? [code, ...nest] : [...nest, code],
      after,
      depth: depths[at]!,
    };
  });
}
