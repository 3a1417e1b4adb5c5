import { inPhase, realize, storageOf } from '../compile/index.js';
import {
  ArgumentError,
  FormatError,
  ShapeError,
  sameShape,
  showShape,
  TillerError,
  UnsupportedError,
} from '../graph/index.js';
import { isTensor, keep, noGrad, type Tensor, tensor } from '../tensor/index.js';
import { activeTrace, rebind, takeBackwardRoots, tracedScalars } from '../tensor/internal.js';
import { checkNames } from './checks.js';

/** Tensors that an optimizer keeps for a parameter, each of the parameter's shape. */
export type StateTensors = Record<string, Tensor>;

/** A new value for a parameter and for what is kept about it. */
export interface Update {
  readonly parameter: Tensor;
  readonly state: StateTensors;
}

/** Parameters that share options; what a group does not set it takes from the optimizer. */
export type ParamGroup<Options> = Options & { params: Tensor[] };
export type ParamGroupInput<Options> = Partial<Options> & { params: readonly Tensor[] };

/** What is needed to go on later: by position of the parameter over all groups. */
export interface OptimizerState<Options> {
  readonly state: Readonly<Record<number, { readonly step: number; readonly tensors: StateTensors }>>;
  readonly paramGroups: readonly (Options & { params: number[] })[];
}

interface ParamState {
  step: number;
  tensors: StateTensors;
}

/** The most elements of a metric that are brought to the host with the step. */
const MAX_FETCHED = 1024;

/**
 * Base class of the optimizers. `step()` computes the new parameters, the optimizer's state and the losses of the `backward()` calls
 * before it in one run, and points the parameters at their new values. The old values are gone then: whatever was built on them
 * and not read before, gradients included, throws StaleTensorError when it is read after the step.
 */
export abstract class Optimizer<Options extends { lr: number }> {
  /** Options may be changed between steps. */
  readonly paramGroups: ParamGroup<Options>[];
  readonly #state = new Map<Tensor, ParamState>();
  /** Counts the states that were loaded. */
  #generation = 0;

  /** @throws ArgumentError for no parameters, a parameter that does not require grad or is given twice, or an option out of range; UnsupportedError for parameters in f16 */
  constructor(
    private readonly name: string,
    params: readonly Tensor[] | readonly ParamGroupInput<Options>[],
    options: Partial<Options>,
    defaults: Options,
  ) {
    if (typeof options !== 'object' || options === null) {
      throw new ArgumentError(`[${name}] options are ${String(options)} (expected an object such as { lr: 0.001 })`);
    }
    if (!Array.isArray(params)) {
      throw new ArgumentError(
        `[${name}] parameters are ${typeof params} (expected a list: model.parameters(), or groups)`,
      );
    }
    checkNames(name, options, defaults);
    const inputs = params.every(isTensor) ? [{ params }] : (params as readonly ParamGroupInput<Options>[]);
    this.paramGroups = inputs.map((input, i) => {
      if (!Array.isArray(input?.params)) {
        throw new ArgumentError(`[${name}] entry ${i} is neither a tensor nor a group (expected { params: [...] })`);
      }
      checkNames(name, input, defaults);
      return { ...defaults, ...given(options), ...given(input), params: [...input.params] };
    });
    const all = this.paramGroups.flatMap((group) => group.params);
    if (all.length === 0) throw new ArgumentError(`[${name}] no parameters given`);
    all.forEach((p, i) => {
      if (!isTensor(p)) throw new ArgumentError(`[${name}] parameter ${i} is no tensor`);
      if (!p.requiresGrad) throw new ArgumentError(`[${name}] parameter ${i} does not require grad`);
      // Small updates would be lost to rounding.
      if (p.dtype !== 'f32') throw new UnsupportedError(`[${name}] parameter ${i} is ${p.dtype} (expected f32)`);
    });
    if (new Set(all).size !== all.length) throw new ArgumentError(`[${name}] a parameter is given twice`);
    for (const group of this.paramGroups) this.check(group);
  }

  /** Throws ArgumentError for an option out of range. */
  protected abstract check(options: Options): void;

  /** Names of the tensors kept for each parameter; they start as zeros. */
  protected abstract stateNames(options: Options): readonly string[];

  /**
   * The update rule at a step (1 for the first), for all parameters of a group. Numbers that change from step to step must be made
   * by `scalar` here, so that every step runs the same plan.
   */
  protected abstract rule(options: Options, step: number): (p: Tensor, grad: Tensor, state: StateTensors) => Update;

  /** The learning rate of the first group; setting it sets all groups. Throws ArgumentError for one out of range. */
  get lr(): number {
    return this.paramGroups[0]!.lr;
  }

  set lr(value: number) {
    for (const group of this.paramGroups) this.check({ ...group, lr: value });
    for (const group of this.paramGroups) group.lr = value;
  }

  /** Forgets the gradients. Call it before the next `backward()`, which would otherwise add to gradients of old parameters. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.grad = null;
  }

  /**
   * Updates every parameter that has a gradient. The parameters have their new values at once; awaiting the promise waits until the
   * step has run, which keeps a loop from queueing without end.
   * @param metrics other tensors to compute in the same run, from the parameters as they are before the step
   * @throws StaleTensorError where a gradient or a metric was built on parameters that a step has replaced since
   */
  step(metrics: readonly Tensor[] = []): Promise<void> {
    const targets = this.paramGroups.flatMap((group) =>
      group.params
        .filter((p) => p.requiresGrad && p.grad !== null)
        .map((p) => ({ p, grad: p.grad!, group, state: this.stateOf(p, group) })),
    );
    const outer = activeTrace();
    // In a compiled function with several steps, later ones start from values that the earlier ones only record.
    realizeNow(
      targets.flatMap(({ p, state }) => [p, ...Object.values(state.tensors)]).filter((t) => !outer?.rebound.has(t)),
    );

    const makeUpdates = () => {
      const rules = new Map<string, ReturnType<typeof this.rule>>();
      return targets.map(({ p, grad, group, state }) => {
        const step = state.step + 1;
        const key = `${this.paramGroups.indexOf(group)} ${step}`;
        const rule = rules.get(key) ?? tracedScalars(() => this.rule(group, state.step + 1));
        rules.set(key, rule);
        return { p, state, update: rule(p, grad, state.tensors) };
      });
    };
    const updates = inPhase('trace', () => noGrad(makeUpdates));

    const losses = takeBackwardRoots();
    const trace = activeTrace();
    if (trace !== null) {
      // Recorded: the compiled function runs the updates together with its results, and counts the steps that it runs.
      for (const { p, state, update } of updates) {
        rebind(p, update.parameter.node);
        for (const [name, value] of Object.entries(update.state)) rebind(state.tensors[name]!, value.node);
        trace.beforeRun.push(() => {
          state.step++;
        });
      }
      const options = this.optionsKey();
      trace.guard(this, 'an option of an optimizer changed', () => this.optionsKey() === options);
      for (const { params } of this.paramGroups) {
        for (const p of params) {
          const { requiresGrad } = p;
          trace.guard(
            `${this.name} ${p.node.id}`,
            'a parameter was frozen or unfrozen',
            () => p.requiresGrad === requiresGrad,
          );
        }
      }
      const counts = updates.map(({ state }) => state);
      const ahead = counts.map((c) => c.step - counts[0]!.step);
      trace.guard(counts, 'parameters have taken different numbers of steps', () =>
        counts.every((c, i) => c.step - counts[0]!.step === ahead[i]),
      );
      return Promise.resolve();
    }
    const compute = (extra: readonly Tensor[]): Promise<void> =>
      realize(
        [
          ...updates.flatMap(({ update }) => [update.parameter, ...Object.values(update.state)]).map((t) => t.node),
          ...extra.map((t) => t.node),
        ],
        {
          donate: [...new Set(targets.flatMap(({ p, state }) => [p, ...Object.values(state.tensors)]))].map(
            (t) => storageOf(t.node)!,
          ),
          fetch: extra.filter((t) => t.numel() <= MAX_FETCHED).map((t) => t.node),
        },
      );
    let done: Promise<void>;
    try {
      done = compute([...losses, ...metrics]);
    } catch (error) {
      // A loss that nobody steps for, built on what is gone by now or lives elsewhere, is not this step's business.
      if (losses.length === 0 || !(error instanceof TillerError)) throw error;
      done = compute(metrics);
    }
    for (const { p, state, update } of updates) {
      rebind(p, update.parameter.node);
      for (const [name, value] of Object.entries(update.state)) rebind(state.tensors[name]!, value.node);
      state.step++;
    }
    return done;
  }

  /** The options that a compiled step has baked in: all but the learning rate, which rules make a runtime scalar. */
  private optionsKey(): string {
    const groups = this.paramGroups.map(({ params, lr: _, ...options }) => ({ ...options, parameters: params.length }));
    return JSON.stringify([this.#generation, ...groups]);
  }

  private stateOf(p: Tensor, group: ParamGroup<Options>): ParamState {
    let state = this.#state.get(p);
    if (state === undefined) {
      state = { step: 0, tensors: {} };
      this.#state.set(p, state);
    }
    for (const name of this.stateNames(group)) {
      // Zeros as stored data and not as a constant, so that the first step already runs the plan of all others.
      state.tensors[name] ??= keep(tensor(new Float32Array(p.numel()), { shape: p.shape }));
    }
    return state;
  }

  /** Step counts and kept tensors (the tensors themselves: they go on changing with each step). */
  stateDict(): OptimizerState<Options> {
    const all = this.paramGroups.flatMap((group) => group.params);
    const state: Record<number, { step: number; tensors: StateTensors }> = {};
    all.forEach((p, i) => {
      const kept = this.#state.get(p);
      if (kept !== undefined) state[i] = { step: kept.step, tensors: { ...kept.tensors } };
    });
    return {
      state,
      paramGroups: this.paramGroups.map((group) => ({ ...group, params: group.params.map((p) => all.indexOf(p)) })),
    };
  }

  /**
   * Takes over options, step counts and a copy of the kept tensors.
   * @throws FormatError where the groups differ from this optimizer's, ShapeError where a kept tensor does not fit its parameter
   */
  async loadStateDict(saved: OptimizerState<Options>): Promise<void> {
    const sizes = (groups: readonly { params: readonly unknown[] }[]) =>
      groups.map(({ params }) => params.length).join(', ');
    if (sizes(saved.paramGroups) !== sizes(this.paramGroups)) {
      throw new FormatError(
        `[${this.name}] groups differ: ${sizes(saved.paramGroups)} parameters (expected ${sizes(this.paramGroups)})`,
      );
    }
    const loaded = await Promise.all(
      this.paramGroups
        .flatMap((group) => group.params)
        .map(async (p, i) => {
          const kept = saved.state[i];
          if (kept === undefined) return null;
          const tensors: StateTensors = {};
          for (const [name, value] of Object.entries(kept.tensors)) {
            if (!sameShape(value.shape, p.shape)) {
              throw new ShapeError(
                `[${this.name}] ${name} of parameter ${i} has shape ${showShape(value.shape)} (expected ${showShape(p.shape)})`,
              );
            }
            tensors[name] = keep(tensor(await value.data(), { shape: p.shape }));
          }
          return [p, { step: kept.step, tensors }] as const;
        }),
    );
    this.paramGroups.forEach((group, i) => {
      const { params: _, ...options } = saved.paramGroups[i]!;
      Object.assign(group, options);
    });
    this.#generation++;
    this.#state.clear();
    for (const entry of loaded) if (entry !== null) this.#state.set(...entry);
  }
}

/** What is undefined counts as not given: options are often passed through. */
const given = <T extends object>(options: T): T =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;

/** Computes what is not stored yet, such as freshly initialised parameters. */
function realizeNow(tensors: readonly Tensor[]): void {
  const pending = [...new Set(tensors.map((t) => t.node))].filter((node) => storageOf(node) === null);
  // An error sticks to these nodes and comes out of the step that reads them.
  if (pending.length > 0) realize(pending).catch(() => {});
}
