import type { Kernel } from '../../kernels/ir.js';
import type { Coder } from './engine.js';
import { kernelKey } from './kernelKey.js';
import type { CodedPlan, Plan } from './plan.js';

/** Rendered kernels kept for plans to come. */
const MOST_KERNELS = 1024;

/** The `renderer` of a coder: `load` loads what renders the kernels of a plan. */
export function rendererOf<Code>(load: (plan: Plan) => Promise<(kernel: Kernel) => Code>): Coder<Code>['renderer'] {
  let renderer: Renderer<Code> | null = null;
  return async (plan) => {
    const render = await load(plan);
    const known = (renderer ??= new Renderer(render));
    return () => known.plan(plan);
  };
}

/** Renders plans; equal kernels once. */
class Renderer<Code> {
  readonly #render: (kernel: Kernel) => Code;
  /** The least recently used first. */
  readonly #codes = new Map<string, Code>();

  constructor(render: (kernel: Kernel) => Code) {
    this.#render = render;
  }

  plan(plan: Plan): CodedPlan<Code> {
    return {
      ...plan,
      kernels: plan.kernels.map((planned) => ({ ...planned, code: this.#codeOf(planned.kernel) })),
    };
  }

  #codeOf(kernel: Kernel): Code {
    const key = kernelKey(kernel);
    const code = this.#codes.get(key) ?? this.#render(kernel);
    this.#codes.delete(key);
    this.#codes.set(key, code);
    if (this.#codes.size > MOST_KERNELS) this.#codes.delete(this.#codes.keys().next().value!);
    return code;
  }
}
