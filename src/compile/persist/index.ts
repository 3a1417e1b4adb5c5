import type { Engine, Program } from '../../engine/engine.js';
import type { CodedPlan } from '../../engine/plan.js';
import type { ChoiceStore } from '../../engine/tuning.js';
import { inPhase, waitingFor } from '../events.js';
import { loadCode, type OnKernel } from '../loadCode.js';
import type { Snapshot } from '../snapshot.js';
import { isPlanOf, signatureOf } from './check.js';
import { openDatabaseStore } from './databaseStore.js';
import { openFileStore } from './fileStore.js';
import { nameOf } from './hash.js';
import { decodeRecord, encodeRecord } from './record.js';
import type { RecordStore } from './store.js';

/** Gives what keeps the plans of an engine. */
export type Keeper = (engine: Engine) => KeptPlans | null;

/** Opens the store at a place, for plans of a build of tiller. Throws ArgumentError for a folder that cannot be made. */
export async function keeperAt(place: string | null, build: string): Promise<Keeper> {
  const store = await openStore(place);
  return (engine) => KeptPlans.of(engine, store, build);
}

/** The store at a place: a folder or the name of a database, null for the usual one. Null where nothing can be kept. */
export function openStore(place: string | null): Promise<RecordStore | null> {
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  return inNode ? openFileStore(place) : openDatabaseStore(place ?? 'tiller');
}

/** A store, and all that its records of one engine depend on. */
export interface Shelf {
  readonly store: RecordStore;
  readonly target: string;
}

/** A plan for whose kernels nothing has to be measured. */
const recalled = (plan: CodedPlan): CodedPlan =>
  Array.isArray(plan.tuned) ? { ...plan, tuned: plan.tuned.map((kernel) => ({ ...kernel, recalled: true })) } : plan;

/** Whether code was rendered with what is now the choice for each of its kernels. */
async function hold({ tuned }: CodedPlan, choices: ChoiceStore): Promise<boolean> {
  if (!Array.isArray(tuned)) return false;
  for (const { bucket, keptAs } of tuned as NonNullable<CodedPlan['tuned']>) {
    const choice = await choices.recall(String(bucket));
    if (choice?.complete !== true || choice.best !== keptAs) return false;
  }
  return true;
}

/** The plans of one engine that outlive the process, as code. */
export class KeptPlans {
  readonly #engine: Engine;
  readonly #store: RecordStore;
  readonly #target: string;

  private constructor(engine: Engine, store: RecordStore, target: string) {
    this.#engine = engine;
    this.#store = store;
    this.#target = target;
  }

  /** Null for engines whose code is not kept. `build` names the version of tiller. */
  static of(engine: Engine, store: RecordStore | null, build: string): KeptPlans | null {
    const target = engine.kind === 'kernel' ? (engine.coder?.target ?? null) : null;
    if (store === null || target === null) return null;
    return new KeptPlans(engine, store, JSON.stringify([build, engine.name, target, engine.capabilities]));
  }

  /** Where, and for what, other things about this engine are kept. */
  get shelf(): Shelf {
    return { store: this.#store, target: this.#target };
  }

  /**
   * The program of a structure, from its kept code; null where there is none that can be used. With `choices` the code is tuned, and is
   * of use as long as it is what they say.
   */
  async load(
    structure: string,
    snap: Snapshot,
    donated: readonly boolean[],
    promoted: readonly number[],
    onKernel?: OnKernel,
    choices: ChoiceStore | null = null,
  ): Promise<Program | null> {
    const { coder } = this.#engine as Extract<Engine, { kind: 'kernel' }>;
    const name = inPhase('plan', () => this.#nameOf(structure));
    const bytes = await waitingFor('load', this.#store.read(name));
    if (bytes === null) return null;
    const plan = inPhase('plan', () => {
      const read = decodeRecord(bytes, { target: this.#target, structure });
      const signature = signatureOf(snap, donated, promoted);
      const fits = read !== null && isPlanOf(read, signature) && read.kernels.every((kernel) => coder!.accepts(kernel));
      return fits ? recalled(read) : null;
    });
    if (plan !== null && (choices === null || (await hold(plan, choices)))) {
      try {
        return await waitingFor(
          'compile',
          inPhase('codegen', () => loadCode(coder!, plan, onKernel)),
        );
      } catch {
        // Code that does not compile; if it is the device that fails, it fails the plan that is made now too.
      }
    }
    await this.#store.remove(name);
    return null;
  }

  async save(structure: string, plan: CodedPlan): Promise<void> {
    await this.#store.write(this.#nameOf(structure), encodeRecord({ target: this.#target, structure }, plan));
  }

  #nameOf(structure: string): string {
    return nameOf(`${this.#target}\n${structure}`);
  }
}
