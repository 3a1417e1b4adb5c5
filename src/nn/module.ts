import { ArgumentError, DTypeError, FormatError, ShapeError, sameShape, showShape } from '../graph/index.js';
import { isTensor, keep, type Tensor } from '../tensor/index.js';
import { activeTrace } from '../tensor/internal.js';
import { copyInto, isParameter } from './parameter.js';

/** What a module holds, under the path by which it is reached: `fc.weight`, `layers.0.bias`. */
type Named<T> = [name: string, value: T];

/**
 * Base class of networks and their parts. Fields are found by themselves, also inside arrays: modules are children, and tensors
 * that require grad and were not computed from others are parameters.
 *
 *     class Net extends nn.Module {
 *       hidden = new nn.Linear(784, 128);
 *       out = new nn.Linear(128, 10);
 *       forward(x: Tensor) {
 *         return this.out.forward(this.hidden.forward(x).relu());
 *       }
 *     }
 */
export class Module {
  #training = true;
  readonly #bufferNames = new Set<string>();

  /** True while training: Dropout looks at it. Set by `train()` and `eval()`. A compiled function that looks at it is traced for each mode. */
  get training(): boolean {
    const mode = this.#training;
    activeTrace()?.guard(this, 'a module changed between train() and eval()', () => this.#training === mode);
    return mode;
  }

  set training(mode: boolean) {
    this.#training = mode;
  }

  /** The modules in this one's fields, by name; not theirs in turn. */
  namedChildren(): Named<Module>[] {
    return fieldsOf(this).filter((field): field is Named<Module> => field[1] instanceof Module);
  }

  /** This module and all below it, each once, by path ('' for itself). */
  namedModules(): Named<Module>[] {
    const found = new Map<Module, string>();
    const visit = (module: Module, path: string): void => {
      if (found.has(module)) return;
      found.set(module, path);
      for (const [name, child] of module.namedChildren()) visit(child, path === '' ? name : `${path}.${name}`);
    };
    visit(this, '');
    return [...found].map(([module, path]) => [path, module]);
  }

  /** The parameters of this module and all below it, each once. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  namedParameters(): Named<Tensor>[] {
    return unique(this.ownTensors((module, name, tensor) => !module.#isBuffer(name) && isParameter(tensor)));
  }

  /** The buffers of this module and all below it: state that is saved but not trained. */
  buffers(): Tensor[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  namedBuffers(): Named<Tensor>[] {
    return unique(this.ownTensors((module, name) => module.#isBuffer(name)));
  }

  /**
   * Declares a field to be a buffer, that is, part of the state that is saved: `this.mean = this.registerBuffer('mean', zeros(8))`.
   * @throws ArgumentError where the tensor requires grad (then it is a parameter)
   */
  registerBuffer(name: string, tensor: Tensor): Tensor {
    if (tensor.requiresGrad)
      throw new ArgumentError(`[registerBuffer] '${name}' requires grad (a buffer is not trained)`);
    this.#bufferNames.add(name);
    (this as unknown as Record<string, unknown>)[name] = keep(tensor);
    return tensor;
  }

  /** Parameters (also frozen ones) and buffers by path. These are the tensors themselves, which follow training. */
  stateDict(): Record<string, Tensor> {
    const state = Object.create(null) as Record<string, Tensor>;
    for (const [name, t] of this.ownTensors((module, name, t) => module.#isBuffer(name) || isParameter(t)))
      state[name] = t;
    return state;
  }

  /**
   * Copies values into the parameters and buffers, by path.
   * @throws FormatError for missing and unexpected names (not under `strict: false`), ShapeError, DTypeError; then nothing changes
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>, { strict = true }: { strict?: boolean } = {}): void {
    const own = this.stateDict();
    const missing = Object.keys(own).filter((name) => !Object.hasOwn(state, name));
    const unexpected = Object.keys(state).filter((name) => !Object.hasOwn(own, name));
    if (strict && missing.length + unexpected.length > 0) {
      const list = (names: string[]) => (names.length === 0 ? 'none' : names.join(', '));
      throw new FormatError(`[loadStateDict] names differ: missing ${list(missing)}; unexpected ${list(unexpected)}`);
    }
    const pairs = Object.keys(own)
      .filter((name) => Object.hasOwn(state, name))
      .map((name) => [name, own[name]!, state[name]!] as const);
    for (const [name, target, value] of pairs) {
      if (!isTensor(value)) throw new FormatError(`[loadStateDict] '${name}' is not a tensor`);
      if (!sameShape(target.shape, value.shape)) {
        throw new ShapeError(
          `[loadStateDict] '${name}' has shape ${showShape(value.shape)} (expected ${showShape(target.shape)})`,
        );
      }
      if (target.dtype !== value.dtype) {
        throw new DTypeError(`[loadStateDict] '${name}' is ${value.dtype} (expected ${target.dtype})`);
      }
    }
    copyInto(pairs.map(([, target, value]) => [target, value]));
  }

  /** Sets this module and all below it to training (or, with false, to evaluation). */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Sets this module and all below it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }

  /** The tensors in the fields of this module and all below it that `keep` wants. */
  private ownTensors(keep: (module: Module, name: string, tensor: Tensor) => boolean): Named<Tensor>[] {
    return this.namedModules().flatMap(([path, module]) =>
      fieldsOf(module)
        .filter((field): field is Named<Tensor> => isTensor(field[1]) && keep(module, field[0], field[1]))
        .map(([name, tensor]): Named<Tensor> => [path === '' ? name : `${path}.${name}`, tensor]),
    );
  }

  #isBuffer(name: string): boolean {
    return this.#bufferNames.has(name.split('.', 1)[0]!);
  }
}

/** Fields that hold something, arrays opened: `layers.0`, `layers.1`. */
function fieldsOf(module: Module): Named<unknown>[] {
  const open = (name: string, value: unknown): Named<unknown>[] =>
    Array.isArray(value) ? value.flatMap((item, i) => open(`${name}.${i}`, item)) : [[name, value]];
  return Object.entries(module).flatMap(([name, value]) => open(name, value));
}

/** Each tensor once, under its first name. */
function unique(named: readonly Named<Tensor>[]): Named<Tensor>[] {
  const seen = new Set<Tensor>();
  return named.filter(([, tensor]) => !seen.has(tensor) && seen.add(tensor));
}
