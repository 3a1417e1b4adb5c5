import { PHASES, type Phase, WAITS, type Wait } from '../compile/index.js';
import type { Engine, EngineInfo } from '../engine/engine.js';
import type { Collector, KernelSpan, Span } from './collector.js';
import type { Roofline } from './roofline.js';

/** A kernel over all its runs. */
export interface KernelRow {
  readonly name: string;
  readonly runs: number;
  /** Milliseconds of all runs. */
  readonly ms: number;
  /** Share of the engine's time. */
  readonly share: number;
  /** 0 where it does no arithmetic. */
  readonly gflops: number;
  /** Gigabytes a second of the buffers that it binds. */
  readonly gbs: number;
  /**
   * How near it comes to what the engine can do with its arithmetic and its bytes, whichever takes longer: 1 is the roofline itself. More
   * than 1 where data comes from caches, or only a part of the buffers is touched. null where that was not measured.
   */
  readonly roofline: number | null;
  /** Which of the two bounds it. */
  readonly boundBy: 'arithmetic' | 'memory' | null;
}

/** Where the time of a profiled function went. All times are in milliseconds. */
export interface ProfileReport {
  readonly engine: EngineInfo;
  /** From the call to the end of the function. */
  readonly wallMs: number;
  /** Time of the calling thread in TypeScript: all of `phases`. On engines that compute on that thread, `encode` contains the computing. */
  readonly orchestratorMs: number;
  /** By what it was for; `other` is building graphs, your own code, and whatever has no name here. */
  readonly phases: Readonly<Record<Phase | 'other', number>>;
  /** Time in which the calling thread only waited for the engine. orchestratorMs + waitMs = wallMs. */
  readonly waitMs: number;
  readonly waits: Readonly<Record<Wait, number>>;
  /** Time of all kernels on the engine: a second timeline, which may overlap the first. */
  readonly engineMs: number;
  /** How kernels were timed: by the device's timestamps, by the clock of the calling thread, or not. */
  readonly timedBy: 'timestamps' | 'clock' | 'nothing';
  /** What the engine reaches at best, where that was asked for. */
  readonly roofline: Roofline | null;
  readonly copyBytes: { readonly up: number; readonly down: number };
  readonly realizations: number;
  readonly kernelCount: number;
  readonly submits: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** Costliest first. */
  readonly kernels: readonly KernelRow[];
  /** The two timelines. */
  readonly spans: readonly Span[];
  readonly kernelSpans: readonly KernelSpan[];
  /** The report as text. */
  toString(): string;
  /** Prints it. */
  print(): void;
  /** Events for chrome://tracing and Perfetto, as JSON text. */
  chromeTrace(): string;
  /** One self-contained HTML page: timelines, kernels, and the graphs of kernels with their code. */
  html(): Promise<string>;
}

/** Merged length of intervals. */
function covered(intervals: readonly (readonly [number, number])[]): number {
  const sorted = [...intervals].sort((a, b) => a[0] - b[0]);
  let total = 0;
  let reach = Number.NEGATIVE_INFINITY;
  for (const [start, end] of sorted) {
    total += Math.max(0, end - Math.max(start, reach));
    reach = Math.max(reach, end);
  }
  return total;
}

export function makeReport(
  collector: Collector,
  wallMs: number,
  engine: Engine,
  roofline: Roofline | null,
): ProfileReport {
  const inside = collector.spans.filter((s) => s.start < wallMs).map((s) => ({ ...s, end: Math.min(s.end, wallMs) }));
  const phaseSpans = inside.filter((s) => s.kind === 'phase');
  const intervals = (spans: readonly Span[]): [number, number][] => spans.map((s) => [s.start, s.end]);
  const busy = covered(intervals(phaseSpans));
  const waitMs = covered(intervals(inside)) - busy;
  const sums = <N extends string>(names: readonly N[]): Record<N, number> =>
    Object.fromEntries(
      names.map((name) => [name, inside.filter((s) => s.name === name).reduce((n, s) => n + s.end - s.start, 0)]),
    ) as Record<N, number>;
  const engineMs = collector.kernels.reduce((n, k) => n + k.ms, 0);
  const { counts } = collector;
  const info = engine.info();
  const report = {
    engine: info,
    wallMs,
    orchestratorMs: wallMs - waitMs,
    phases: { ...sums(PHASES), other: wallMs - waitMs - busy },
    waitMs,
    waits: sums(WAITS),
    engineMs,
    timedBy:
      collector.kernels.length === 0
        ? ('nothing' as const)
        : info.engine === 'webgpu'
          ? ('timestamps' as const)
          : ('clock' as const),
    roofline,
    copyBytes: { up: counts.bytesUp, down: counts.bytesDown },
    realizations: counts.realizations,
    kernelCount: counts.kernels,
    submits: counts.submits,
    cacheHits: counts.cacheHits,
    cacheMisses: counts.cacheMisses,
    kernels: rowsOf(collector.kernels, engineMs, roofline),
    spans: inside,
    kernelSpans: collector.kernels,
  };
  return {
    ...report,
    toString: () => formatReport(report),
    print: () => console.log(formatReport(report)),
    chromeTrace: () => chromeTrace(report),
    html: async () => {
      const [{ renderPage }, { picturePrograms }] = await Promise.all([import('./page.js'), import('./programs.js')]);
      return renderPage(report, picturePrograms(engine, collector.programs, collector.kernels));
    },
  };
}

/** The time that the roofline allows, as a part of the time taken. */
function nearness(
  limits: Roofline | null,
  ms: number,
  flops: number,
  bytes: number,
): Pick<KernelRow, 'roofline' | 'boundBy'> {
  if (limits === null || ms === 0) return { roofline: null, boundBy: null };
  const [arithmetic, memory] = [flops / limits.gflops / 1e6, bytes / limits.gbs / 1e6];
  return { roofline: Math.max(arithmetic, memory) / ms, boundBy: arithmetic > memory ? 'arithmetic' : 'memory' };
}

function rowsOf(spans: readonly KernelSpan[], engineMs: number, limits: Roofline | null): KernelRow[] {
  const byName = new Map<string, { runs: number; ms: number; flops: number; bytes: number }>();
  for (const s of spans) {
    const row = byName.get(s.kernel) ?? { runs: 0, ms: 0, flops: 0, bytes: 0 };
    byName.set(s.kernel, {
      runs: row.runs + 1,
      ms: row.ms + s.ms,
      flops: row.flops + s.flops,
      bytes: row.bytes + s.bytes,
    });
  }
  return [...byName]
    .map(([name, { runs, ms, flops, bytes }]) => ({
      name,
      runs,
      ms,
      share: engineMs > 0 ? ms / engineMs : 0,
      gflops: ms > 0 ? flops / ms / 1e6 : 0,
      gbs: ms > 0 ? bytes / ms / 1e6 : 0,
      ...nearness(limits, ms, flops, bytes),
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** What the text and the page are made from. */
export type ReportData = Omit<ProfileReport, 'print' | 'chromeTrace' | 'html' | 'toString'>;

const ms = (x: number): string => `${x.toFixed(2)} ms`;
const percent = (part: number, whole: number): string => `${whole > 0 ? ((100 * part) / whole).toFixed(1) : '0.0'} %`;

function formatReport(r: ReportData): string {
  const lines = [
    `${r.engine.engine} on ${r.engine.adapter}${r.engine.software ? ' (software)' : ''}: ${ms(r.wallMs)}`,
    `  TypeScript ${ms(r.orchestratorMs)} (${percent(r.orchestratorMs, r.wallMs)}): ${Object.entries(r.phases)
      .map(([name, time]) => `${name} ${time.toFixed(2)}`)
      .join(', ')}`,
    `  waiting    ${ms(r.waitMs)} (${percent(r.waitMs, r.wallMs)}): ${Object.entries(r.waits)
      .map(([name, time]) => `${name} ${time.toFixed(2)}`)
      .join(', ')}`,
    r.timedBy === 'nothing'
      ? '  engine     not timed: this engine does not tell'
      : `  engine     ${ms(r.engineMs)}, by ${r.timedBy === 'timestamps' ? 'timestamps of the device' : 'the clock of the calling thread'}`,
    `  ${r.realizations} realizations, ${r.kernelCount} kernels, ${r.submits} submits, ${r.cacheHits} of ${r.cacheHits + r.cacheMisses} plans from the cache`,
    `  copied ${r.copyBytes.up} bytes up, ${r.copyBytes.down} down`,
  ];
  if (r.roofline !== null) {
    lines.push(`  roofline   ${r.roofline.gflops.toFixed(1)} GFLOP/s, ${r.roofline.gbs.toFixed(1)} GB/s`);
  }
  if (r.kernels.length > 0) {
    const width = Math.min(60, Math.max(...r.kernels.map((k) => k.name.length)));
    lines.push(
      `  ${'kernel'.padEnd(width)}   runs         ms   share   GFLOP/s      GB/s${r.roofline ? '   roofline' : ''}`,
    );
    for (const k of r.kernels.slice(0, 40)) {
      lines.push(
        `  ${k.name.slice(0, width).padEnd(width)} ${String(k.runs).padStart(6)} ${k.ms.toFixed(3).padStart(10)} ${percent(k.share, 1).padStart(7)} ${k.gflops.toFixed(2).padStart(9)} ${k.gbs.toFixed(2).padStart(9)}${k.roofline === null ? '' : ` ${percent(k.roofline, 1).padStart(8)} of ${k.boundBy}`}`,
      );
    }
  }
  return lines.join('\n');
}

/** Chrome's trace event format: complete events (ph X), times in microseconds. */
function chromeTrace(r: ReportData): string {
  const thread = (tid: number, name: string): object => ({ ph: 'M', pid: 1, tid, name: 'thread_name', args: { name } });
  const event = (tid: number, name: string, start: number, end: number, args: object = {}): object => ({
    ph: 'X',
    pid: 1,
    tid,
    name,
    ts: start * 1000,
    dur: (end - start) * 1000,
    args,
  });
  return JSON.stringify({
    displayTimeUnit: 'ms',
    traceEvents: [
      thread(1, 'TypeScript'),
      thread(2, 'waiting'),
      thread(3, `engine: ${r.engine.adapter}`),
      ...r.spans.map((s) => event(s.kind === 'phase' ? 1 : 2, s.name, s.start, s.end)),
      ...r.kernelSpans.map((k) => event(3, k.kernel, k.end - k.ms, k.end, { flops: k.flops, bytes: k.bytes })),
    ],
  });
}
