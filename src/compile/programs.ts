import type { Engine, Program } from '../engine/engine.js';
import { debugLevel } from '../engine/environment.js';
import type { ChoiceStore, TuneRequest } from '../engine/tuning.js';
import { profiler, waitingFor } from './events.js';
import type { OnKernel } from './loadCode.js';
import type { KeptPlans } from './persist/index.js';
import { constantsKey, type Snapshot, withoutData } from './snapshot.js';

/** Programs kept, and kernels of them together; the least recently used goes first. A kernel's pipeline may be a hundred kilobytes of code. */
const MAX_PROGRAMS = 512;
const MAX_KERNELS = 4096;
/** Graphs of one structure that differ in their constants only: after this many, what differs becomes a runtime scalar. */
const MAX_VARIANTS = 4;
const MAX_SKELETONS = 2048;

export interface CacheStats {
  /** Realizations whose plan was there. */
  hits: number;
  /** Realizations of a structure not met before in this process. */
  misses: number;
  /** How many of these found their plan kept by an earlier process: only the others were planned. */
  loaded: number;
}

/** A program, and the values that it takes as scalars after those of the graph: constants that turned out to change. */
export interface Launchable {
  readonly program: Program | Promise<Program>;
  readonly constants: readonly number[];
}

/** What is known of the constants of one structure. */
interface Skeleton {
  variants: number;
  /** The constants met so far; null where they differed. */
  common: (number | null)[];
  /** Positions of the constants that are runtime scalars. */
  promoted: number[];
}

/** A chunk of its own: an import of tiller does not cost a page the planner. */
const planner = () => import('./prepare.js');

/** Prepared programs by structure, compared in full. */
export class ProgramCache {
  private readonly programs = new Map<string, Program | Promise<Program>>();
  private readonly skeletons = new Map<string, Skeleton>();
  /** Kernels of the programs that are prepared. */
  private kernels = 0;
  private choices: Promise<ChoiceStore> | null = null;
  /** Requests to tune anew that were met: once, whatever how often their graph runs. */
  private readonly tuned = new WeakSet<TuneRequest>();
  readonly stats: CacheStats = { hits: 0, misses: 0, loaded: 0 };

  /** Those that are ready to run. */
  get prepared(): Program[] {
    return [...this.programs.values()].filter((p): p is Program => !(p instanceof Promise));
  }

  constructor(
    private readonly engine: Engine,
    /** Plans that outlive the process. */
    private readonly kept: KeptPlans | null,
  ) {
    // A process that finds its plans kept needs no planner; others have it loaded beside the first work.
    if (kept === null) planner().catch(() => {});
  }

  /** `onKernel` is told of the kernels of a program that is made now. */
  get(snap: Snapshot, donated: readonly boolean[], onKernel?: OnKernel): Launchable {
    const tune = this.engine.kind === 'kernel' && this.engine.tune ? snap.tune : undefined;
    // Whoever did not ask for tuning never gets tuned code, nor the other way around; in kept plans neither.
    const skeleton = `${tune ? 'tuned ' : ''}${donated.map((d) => (d ? 1 : 0)).join('')}|${snap.skeleton}`;
    const known = this.skeletons.get(skeleton) ?? { variants: 0, common: [...snap.constants], promoted: [] };
    this.remember(skeleton, known);
    if (tune?.again && !this.tuned.has(tune)) this.drop(this.keyOf(skeleton, snap, known.promoted));
    if (tune) this.tuned.add(tune);
    let found = this.lookUp(skeleton, snap, known.promoted);
    if (found === null) {
      this.meetVariant(known, snap.constants);
      found =
        this.lookUp(skeleton, snap, known.promoted) ??
        this.make(skeleton, snap, donated, known.promoted, onKernel, tune);
    } else {
      this.stats.hits++;
      profiler()?.lookedUp(true);
    }
    return found;
  }

  private remember(key: string, skeleton: Skeleton): void {
    this.skeletons.delete(key);
    this.skeletons.set(key, skeleton);
    if (this.skeletons.size > MAX_SKELETONS) this.skeletons.delete(this.skeletons.keys().next().value!);
  }

  /** Counts one more set of constants; past the limit, those that differ are promoted. */
  private meetVariant(known: Skeleton, constants: readonly number[]): void {
    known.variants++;
    known.common = known.common.map((c, i) => (c !== null && Object.is(c, constants[i]) ? c : null));
    if (known.variants > MAX_VARIANTS) known.promoted = known.common.flatMap((c, i) => (c === null ? [i] : []));
  }

  private keyOf(skeleton: string, snap: Snapshot, promoted: readonly number[]): string {
    const baked =
      promoted.length === 0 ? snap.constants : snap.constants.map((c, i) => (promoted.includes(i) ? null : c));
    return `${skeleton}|${constantsKey(baked)}`;
  }

  private lookUp(skeleton: string, snap: Snapshot, promoted: readonly number[]): Launchable | null {
    const key = this.keyOf(skeleton, snap, promoted);
    const program = this.programs.get(key);
    if (program === undefined) return null;
    this.programs.delete(key);
    this.programs.set(key, program);
    return { program, constants: promoted.map((i) => snap.constants[i]!) };
  }

  private make(
    skeleton: string,
    snap: Snapshot,
    donated: readonly boolean[],
    promoted: readonly number[],
    onKernel?: OnKernel,
    tune?: TuneRequest,
  ): Launchable {
    this.stats.misses++;
    profiler()?.lookedUp(false);
    const key = this.keyOf(skeleton, snap, promoted);
    const prepared = this.prepare(key, snap, donated, promoted, onKernel, tune);
    this.programs.set(key, prepared);
    prepared.then(
      (program) => {
        if (this.programs.get(key) !== prepared) return;
        this.programs.set(key, program);
        this.kernels += program.kernels;
        this.forget();
      },
      () => {
        if (this.programs.get(key) === prepared) this.programs.delete(key);
      },
    );
    this.forget();
    return { program: prepared, constants: promoted.map((i) => snap.constants[i]!) };
  }

  /** Lets go of the least recently used programs until both limits hold; the newest stays. */
  private forget(): void {
    for (const key of this.programs.keys()) {
      const many = this.programs.size > MAX_PROGRAMS || this.kernels > MAX_KERNELS;
      if (!many || this.programs.size === 1) return;
      this.drop(key);
    }
  }

  private drop(key: string): void {
    const program = this.programs.get(key);
    this.programs.delete(key);
    if (program !== undefined && !(program instanceof Promise)) this.kernels -= program.kernels;
  }

  private async prepare(
    key: string,
    snap: Snapshot,
    donated: readonly boolean[],
    promoted: readonly number[],
    onKernel?: OnKernel,
    tune?: TuneRequest,
  ): Promise<Program> {
    const choices = tune ? await (this.choices ??= this.openChoices()) : null;
    // Whoever wants to see the plan has it made.
    const kept = debugLevel() >= 3 || tune?.again ? null : this.kept;
    const loaded = await kept?.load(key, snap, donated, promoted, onKernel, choices);
    if (loaded) {
      this.stats.loaded++;
      return loaded;
    }
    const graph = withoutData(snap, promoted);
    const { prepareProgram } = await waitingFor('load', planner());
    const program = await prepareProgram(
      this.engine,
      { ...graph, donated },
      (plan) => {
        // One whose search was cut short is planned anew, and the search goes on.
        if (plan.tuned?.every(({ complete }) => complete) ?? true) this.kept?.save(key, plan);
      },
      onKernel,
      tune && choices ? { ...tune, choices } : undefined,
    );
    profiler()?.prepared(program, this.engine);
    return program;
  }

  private async openChoices(): Promise<ChoiceStore> {
    const { KeptChoices } = await import('./persist/choices.js');
    return new KeptChoices(this.kept?.shelf ?? null);
  }
}
