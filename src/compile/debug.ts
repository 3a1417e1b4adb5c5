import type { Engine, Program } from '../engine/engine.js';
import { debugLevel } from '../engine/environment.js';
import { describeKernel, isWhole } from '../engine/listing.js';
import { printKernel } from '../engine/plan-only/printKernel.js';
import type { KernelTiming } from '../engine/timing.js';
import type { Listener, Phase, Relay, Wait } from './events.js';
import { arenaUse } from './plan/liveness.js';

export { formatSite } from './formatSite.js';

const say = (lines: readonly string[]): void => console.error(lines.map((line) => `tiller: ${line}`).join('\n'));
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** What happened since the last realization, of whichever realization it was a part. */
interface Since {
  phases: Map<Phase, number>;
  up: number;
  down: number;
  plan: string;
}

const nothing = (): Since => ({ phases: new Map(), up: 0, down: 0, plan: 'recorded plan' });

/** Prints what the debug level asks for: 1 a line per realization, 3 schedules too, 4 code too. Engines print the lines per kernel. */
class DebugPrinter implements Relay {
  next: Listener | null = null;
  private realizations = 0;
  private since = nothing();
  private readonly stack: Phase[] = [];
  private at = 0;

  /** Adds the time until now to the innermost phase. */
  private account(): void {
    const now = performance.now();
    const phase = this.stack.at(-1);
    const { phases } = this.since;
    if (phase !== undefined) phases.set(phase, (phases.get(phase) ?? 0) + now - this.at);
    this.at = now;
  }

  made(): void {
    this.next?.made();
  }

  enter(phase: Phase): void {
    this.account();
    this.stack.push(phase);
    this.next?.enter(phase);
  }

  leave(): void {
    this.account();
    this.stack.pop();
    this.next?.leave();
  }

  wait(kind: Wait): () => void {
    return this.next?.wait(kind) ?? (() => {});
  }

  copied(direction: 'up' | 'down', bytes: number): void {
    this.since[direction] += bytes;
    this.next?.copied(direction, bytes);
  }

  lookedUp(hit: boolean): void {
    this.since.plan = hit ? 'plan from the cache' : 'new plan';
    this.next?.lookedUp(hit);
  }

  ran(program: Program): void {
    const { phases, up, down, plan } = this.since;
    this.since = nothing();
    const times = [...phases].map(([phase, ms]) => `${phase} ${ms.toFixed(2)} ms`);
    say([
      [
        `realization ${++this.realizations}: ${count(program.kernels, 'kernel')}, ${count(program.submits, 'submit')}, ${plan}`,
        ...times,
        `${up} bytes up, ${down} down before`,
      ].join(', '),
    ]);
    this.next?.ran(program);
  }

  prepared(program: Program, engine: Engine): void {
    if (debugLevel() >= 3) say(describeProgram(program, engine, debugLevel() >= 4));
    this.next?.prepared(program, engine);
  }

  timed(timings: readonly KernelTiming[]): void {
    this.next?.timed(timings);
  }
}

function describeProgram({ plan, kernels }: Program, engine: Engine, withCode: boolean): string[] {
  if (plan === undefined) return [`plan: ${engine.name} interprets the graph, with ${count(kernels, 'kernel')}`];
  const { bytes, lowerBound } = arenaUse(plan);
  const lines = [`plan: ${count(plan.kernels.length, 'kernel')}, arena ${bytes} bytes (at least ${lowerBound})`];
  plan.kernels.forEach((planned, i) => {
    lines.push(`  kernel ${i + 1}: ${planned.kernel.name}`);
    lines.push(...describeKernel(plan, planned).map((line) => `    ${line}`));
    if (!withCode) return;
    if (isWhole(planned)) lines.push(...printKernel(planned.kernel).split('\n'));
    const code = engine.kind === 'kernel' ? engine.codeOf?.(planned) : undefined;
    if (code !== undefined) lines.push(`${code.language} of ${planned.kernel.name}:`, ...code.text.split('\n'));
  });
  return lines;
}

export const printer: Relay = new DebugPrinter();
