import { InternalError } from '../../src/graph/index.js';
import type { Expr, Index, IndexVar, Kernel, Result, StoreStmt } from '../ir.js';

/** 1: an ordinary value. 4: a vec4 with the values at four consecutive points of the scope's vector variable. */
export type Width = 1 | 4;

/** A WGSL expression (an identifier, a literal or something in parentheses: safe to put next to any operator). */
export interface WgslValue {
  readonly code: string;
  readonly width: Width;
}

/** What a scope knows beyond its parent. */
export interface ScopeBindings {
  /** u32 expressions of index variables. */
  readonly vars?: ReadonlyMap<IndexVar, string>;
  /** Values of enclosing statements; a string is a value of width 1. */
  readonly results?: ReadonlyMap<Result, string | WgslValue>;
  /**
   * The vector variable: its code (given in `vars`) is the first of four consecutive values, a multiple of four; its extent is a
   * multiple of four too. Everything that depends on it comes out as a vec4.
   */
  readonly vector?: IndexVar;
}

/**
 * Writes the expressions of one kernel as WGSL. A caller writes its own entry point and loops, opens a scope wherever variables
 * become known, and puts the scope's `lines` there. Names made by the writer start with `t`, `i` or `x` and a number, those of
 * buffers are `b0`, `b1`, …; helper functions start with `tl_`; a caller's own names must differ.
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
  constructor(_kernel: Kernel, _options: { readonly vec4Buffers?: ReadonlySet<number> } = {}) {}

  /** An outermost scope. */
  scope(_bindings: ScopeBindings): WgslScope {
    throw new InternalError('[render] under construction');
  }

  /** Declarations of all buffers and of the params; call it when everything is rendered. */
  declarations(): string {
    throw new InternalError('[render] under construction');
  }

  /** The helper functions that the rendered expressions call; call it when everything is rendered. */
  helpers(): string {
    throw new InternalError('[render] under construction');
  }
}

/** A place in the code where some variables are known. */
export class WgslScope {
  /** `let` lines (and stores) in order, without indentation. */
  readonly lines: string[] = [];

  /** A scope inside this one: a loop body, or the code after it. What it computes from this scope's variables alone goes to this scope's `lines`. */
  child(_bindings: ScopeBindings): WgslScope {
    throw new InternalError('[render] under construction');
  }

  /** An expression of width 1 (bool as WGSL bool); shared parts become `let` lines of the outermost scope that knows their variables. */
  expr(_expr: Expr): string {
    throw new InternalError('[render] under construction');
  }

  /** As `expr`, of whatever width the expression has here. */
  value(_expr: Expr): WgslValue {
    throw new InternalError('[render] under construction');
  }

  /** A u32 expression of width 1. */
  index(_index: Index): string {
    throw new InternalError('[render] under construction');
  }

  /** Appends the stores; all values are computed before the first is stored. */
  stores(_stores: readonly StoreStmt[]): void {
    throw new InternalError('[render] under construction');
  }
}
