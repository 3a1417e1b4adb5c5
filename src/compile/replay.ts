import type { Program } from '../engine/engine.js';
import type { TunedKernel, TuneRequest } from '../engine/tuning.js';
import { type LeafSource, type Node, type ScalarSource, UnsupportedError } from '../graph/index.js';
import type { OnKernel } from './loadCode.js';
import type { Launchable } from './programs.js';
import { runtimeOf } from './realize.js';
import type { Runtime } from './runtime.js';
import { type Snapshot, snapshot } from './snapshot.js';
import { Storage } from './storage.js';

/** A storage that stands for an argument while a function is traced or vmapped; it never has a value. */
export class Placeholder extends Storage {
  private inTrace = true;

  constructor(
    shape: readonly number[],
    dtype: Storage['dtype'],
    private readonly inside = 'a compiled function',
  ) {
    super(shape, dtype, null);
  }

  /** From now on using it means that a traced tensor escaped. */
  close(): void {
    this.inTrace = false;
    this.state = 'stale';
  }

  override checkUsable(op: string): void {
    if (!this.inTrace) super.checkUsable(op);
    throw new UnsupportedError(
      `[${op}] a tensor inside ${this.inside} has no value while it is traced: ${this.dtype}[${this.shape.join(', ')}] (return it, and read the result)`,
    );
  }

  protected override whyStale(): string {
    return `it was made inside ${this.inside} and escaped from it (return it instead)`;
  }
}

/** A graph captured once and run many times. */
export class Recording {
  /** What the graph reads, by position: placeholders and stored data. */
  readonly inputs: readonly LeafSource[];
  readonly scalars: readonly ScalarSource[];
  private readonly snap: Snapshot;
  private readonly shapes: readonly Node[];
  private prepared: { runtime: Runtime; launchable: Launchable } | null = null;
  private readonly donated: readonly boolean[];

  /** `donate` tells which inputs a run may overwrite. */
  constructor(roots: readonly Node[], donate: (input: LeafSource) => boolean, tune?: TuneRequest) {
    this.snap = { ...snapshot(roots), tune };
    this.inputs = this.snap.inputs;
    this.scalars = this.snap.scalars;
    this.shapes = roots;
    this.donated = this.inputs.map(donate);
  }

  /** What tuning found; null until the program is ready. */
  get tuned(): readonly TunedKernel[] | null {
    return this.prepared && ((this.prepared.launchable.program as Program).plan?.tuned ?? []);
  }

  /** Where it runs on these storages, and what it may overwrite there. */
  private placed(inputs: readonly Storage[]): { shared: boolean; donated: readonly boolean[]; runtime: Runtime } {
    // State that is an argument too is read at two places: its memory is then not overwritten.
    const shared = inputs.some((s, i) => this.donated[i]! && inputs.indexOf(s) !== inputs.lastIndexOf(s));
    const donated = shared
      ? this.donated.map((d, i) => d && inputs.indexOf(inputs[i]!) === inputs.lastIndexOf(inputs[i]!))
      : this.donated;
    return { shared, donated, runtime: runtimeOf(inputs) };
  }

  /** Makes its program for storages like these, without running it; `onKernel` is told of each kernel. */
  async prepare(inputs: readonly Storage[], onKernel: OnKernel): Promise<void> {
    const { shared, donated, runtime } = this.placed(inputs);
    const launchable = await runtime.prepare(this.snap, donated, onKernel);
    if (!shared) this.prepared = { runtime, launchable };
    const { kernels } = launchable.program as Program;
    onKernel(kernels, kernels);
  }

  /** Runs it on storages by position; donated ones are stale from the call on. `resident` outputs stay on the device when read. */
  run(inputs: readonly Storage[], scalars: readonly number[], resident: (output: number) => boolean): Storage[] {
    for (const s of inputs) s.checkUsable('compile');
    const { shared, donated, runtime } = this.placed(inputs);
    const outputs = this.shapes.map((node, i) => {
      const o = new Storage(node.shape, node.dtype, null);
      o.resident = resident(i);
      o.device.runtime = runtime;
      return o;
    });
    inputs.forEach((s, i) => {
      s.device.runtime ??= runtime;
      if (donated[i]) s.state = 'stale';
    });
    const launchable = !shared && this.prepared?.runtime === runtime ? this.prepared.launchable : undefined;
    const work = { snap: this.snap, inputs, donated, scalars, outputs, fetch: [], launchable };
    runtime.launch(work, (made) => {
      if (!shared) this.prepared = { runtime, launchable: made };
    });
    return outputs;
  }
}
