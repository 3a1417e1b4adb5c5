import type { WordDType } from '../../src/graph/index.js';
import type { Expr, Kernel } from '../ir.js';
import type { NumericFn } from '../numerics/index.js';
import { countUses, rootsOfKernel } from './uses.js';
import type { Halves } from './wgsl-halves.js';
import { type ScopeBindings, WgslScope } from './wgsl-scope.js';
import { hasLiteral, literal, splat, WgslHelpers, type Width, wgslType } from './wgsl-values.js';

/** How a kernel's code touches a buffer. */
interface BufferUse {
  /** Some access is a whole aligned vec4. */
  vectors: boolean;
  /** Some access is of a single element. */
  elements: boolean;
}

/**
 * Writes the expressions of one kernel as WGSL. A caller writes its own entry point and loops, opens a scope wherever variables
 * become known, and puts the scope's `lines` there. Names made by the writer are `t`, `i` or `q` and a number, those of buffers
 * `b0`, `b1`, …, that of the params `params`; helper functions start with `tl_`; a caller's own names must differ.
 *
 * ```ts
 * const module = new WgslModule(kernel);
 * const outer = module.scope({ vars: new Map([[kernel.m, 'row'], [kernel.n, 'col'], [kernel.batch, 'batch']]) });
 * const inner = outer.child({ vars: new Map([[kernel.k, 'k']]) });
 * const a = inner.expr(kernel.a);             // what does not depend on k is appended to outer.lines
 * const b = inner.expr(kernel.b);
 * const loop = [`for (var k = 0u; k < ${kernel.k.extent}u; k++) {`, ...inner.lines, `acc += ${a} * ${b};`, '}'];
 * const end = outer.child({ results: new Map([[kernel.acc, 'acc']]) });
 * end.stores(kernel.epilogue);
 * const body = [...outer.lines, 'var acc = 0f;', ...loop, ...end.lines];
 * const code = [module.declarations(), module.helpers(), `@compute … fn main(…) { … ${body.join('\n')} }`].join('\n');
 * ```
 */
export class WgslModule {
  /** Expressions used more than once become lets. */
  readonly uses: ReadonlyMap<Expr, number>;
  readonly functions: WgslHelpers;
  readonly bufferUses: readonly BufferUse[];
  #names = 0;

  /**
   * @param options.vec4Buffers buffers to declare as arrays of vec4: only where every access is a whole vec4 (`vec4Candidates`)
   * @param options.halves how the adapter itself converts f16, where it does that right
   */
  constructor(
    readonly kernel: Kernel,
    readonly options: { readonly vec4Buffers?: ReadonlySet<number>; readonly halves?: Halves | undefined } = {},
  ) {
    this.uses = countUses(rootsOfKernel(kernel));
    this.bufferUses = kernel.buffers.map(() => ({ vectors: false, elements: false }));
    const anyBuffer = () => `b${kernel.buffers.findIndex(({ length }) => length > 0)}`;
    this.functions = new WgslHelpers(anyBuffer, options.halves);
  }

  /** An outermost scope. */
  scope(bindings: ScopeBindings): WgslScope {
    return new WgslScope(this, null, bindings);
  }

  /** A name that nothing else in the module has. */
  fresh(prefix: string): string {
    const name = `${prefix}${this.#names++}`;
    // Would hide the type.
    return name === 'i32' ? this.fresh(prefix) : name;
  }

  /**
   * Declares all buffers (read_write; those of length 0 not at all) and the params (a uniform after them), after the directives that the
   * rendered code needs; ask for them when everything is rendered.
   */
  declarations(): string {
    const declared = this.kernel.buffers.flatMap(({ dtype, length }, i) => {
      const element = wgslType(dtype === 'bool' ? 'u32' : dtype, this.isVec4(i) ? 4 : 1);
      return length === 0 ? [] : [`@group(0) @binding(${i}) var<storage, read_write> b${i}: array<${element}>;`];
    });
    const lines = [...this.functions.directives, ...declared];
    const { params, buffers } = this.kernel;
    if (params.length > 0) {
      const vectors = Math.ceil(params.length / 4);
      lines.push(`@group(0) @binding(${buffers.length}) var<uniform> params: array<vec4<u32>, ${vectors}>;`);
    }
    return lines.join('\n');
  }

  /** The helper functions that the rendered code calls; ask for them when everything is rendered. */
  helpers(): string {
    return this.functions.text();
  }

  /** A call of a numeric function on values of one width. */
  call(fn: NumericFn, args: readonly string[], width: Width = 1): string {
    return this.functions.call(fn, args, width);
  }

  /** A constant, NaN and infinities included, safe in any expression. */
  constant(value: number, dtype: WordDType, width: Width = 1): string {
    return hasLiteral(value, dtype)
      ? splat(literal(value, dtype), dtype, width)
      : this.functions.constant(value, dtype, width);
  }

  isVec4(buffer: number): boolean {
    return this.options.vec4Buffers?.has(buffer) ?? false;
  }

  /** After rendering: the buffers that another rendering may declare as arrays of vec4. */
  vec4Candidates(): Set<number> {
    const candidates = new Set<number>();
    this.bufferUses.forEach(({ vectors, elements }, i) => {
      if (vectors && !elements && this.kernel.buffers[i]!.length % 4 === 0) candidates.add(i);
    });
    return candidates;
  }
}
