import { BINARY_RULES, InternalError, UNARY_RULES, type WordDType } from '../src/graph/index.js';
import type {
  Cond,
  Expr,
  Index,
  IndexVar,
  Kernel,
  Range,
  ReduceTerm,
  Result,
  RoutineStmt,
  Stmt,
  StoreStmt,
} from './ir.js';
import { binaryFns, castFn, unaryFns } from './numerics/index.js';
import { printExpr, printKernel } from './print.js';
import { exprsOfIndex } from './render/uses.js';

/**
 * Checks what every kernel promises: dtypes of expressions agree with their functions, variables and results are in scope, buffers and
 * params exist and have the dtypes they are used with, stores go to writable buffers of their value's dtype, and constant divisors
 * are not zero. For tests and debug levels. Throws InternalError.
 */
export function verifyKernel(kernel: Kernel): void {
  try {
    new Verifier(kernel).kernel();
  } catch (error) {
    if (!(error instanceof InternalError)) throw error;
    throw new InternalError(`${error.message}\nin ${printKernel(kernel)}`);
  }
}

class Scope {
  readonly vars: ReadonlySet<IndexVar>;
  readonly results: ReadonlySet<Result>;
  /** Expressions that are known to be right here. */
  readonly checked = new Set<Expr>();

  constructor(vars: Iterable<IndexVar>, results: Iterable<Result>) {
    this.vars = new Set(vars);
    this.results = new Set(results);
  }

  with(vars: readonly IndexVar[], results: readonly Result[] = []): Scope {
    vars.forEach((v, i) => {
      if (this.vars.has(v) || vars.indexOf(v) < i) throw new InternalError(`[verify] variable bound twice: ${v.name}`);
    });
    return new Scope([...this.vars, ...vars], [...this.results, ...results]);
  }
}

class Verifier {
  constructor(private readonly of: Kernel) {}

  kernel(): void {
    const { of: kernel } = this;
    for (const { length, dtype } of kernel.buffers) {
      this.#require(Number.isInteger(length) && length >= 0, `buffer length: ${length} of ${dtype}`);
    }
    if (kernel.kind === 'loop') {
      for (const { parallel, body } of kernel.segments) this.#body(body, this.#bound(new Scope([], []), parallel));
      return;
    }
    if (kernel.kind === 'routine') {
      const { batch, column, body } = kernel;
      const scope = this.#bound(new Scope([], []), column ? [batch, column] : [batch]);
      this.#routine(body, scope, [], column !== undefined);
      return;
    }
    const { batch, m, n, k, a, b, acc, dtype, epilogue } = kernel;
    const outer = this.#bound(new Scope([], []), [batch, m, n]);
    const inner = this.#bound(outer, [k]);
    for (const operand of [a, b]) {
      this.#expr(operand, inner);
      this.#require(operand.dtype === dtype, `operand dtype: ${operand.dtype} (expected ${dtype})`);
    }
    this.#require(acc.dtype === dtype, `accumulator dtype: ${acc.dtype} (expected ${dtype})`);
    for (const store of epilogue) this.#store(store, outer.with([], [acc]));
  }

  #require(holds: boolean, what: string): asserts holds {
    if (!holds) throw new InternalError(`[verify] ${what}`);
  }

  #bound(scope: Scope, vars: readonly IndexVar[]): Scope {
    for (const { name, extent } of vars) {
      this.#require(Number.isInteger(extent) && extent >= 0 && extent <= 2 ** 32, `extent of ${name}: ${extent}`);
    }
    return scope.with(vars);
  }

  #body(body: readonly Stmt[], start: Scope): void {
    let scope = start;
    for (const statement of body) {
      switch (statement.kind) {
        case 'store':
          this.#store(statement, scope);
          break;
        case 'loop': {
          const inner = this.#bound(scope, statement.vars);
          for (const store of statement.body) this.#store(store, inner);
          break;
        }
        case 'reduce': {
          const inner = this.#bound(scope, statement.vars);
          for (const term of statement.terms) this.#term(term, statement.vars, inner);
          scope = scope.with(
            [],
            statement.terms.map(({ result }) => result),
          );
          break;
        }
      }
    }
  }

  /** `assignable`: variables of the innermost independent iteration. `single`: run by one lane. */
  #routine(
    body: readonly RoutineStmt[],
    start: Scope,
    assignable: readonly Result[],
    single: boolean,
    split = true,
  ): void {
    let scope = start;
    let own = assignable;
    const declare = (...results: Result[]): void => {
      for (const { name } of results.filter((r) => scope.results.has(r)))
        this.#require(false, `${name} declared twice`);
      scope = scope.with([], results);
      own = [...own, ...results];
    };
    for (const statement of body) {
      switch (statement.kind) {
        case 'store':
          this.#require(single, 'a store outside of a loop of lanes');
          this.#store(statement, scope);
          break;
        case 'let':
        case 'assign': {
          const { kind, local, value } = statement;
          this.#expr(value, scope);
          this.#require(value.dtype === local.dtype, `${value.dtype} as ${local.name} of ${local.dtype}`);
          if (kind === 'let') declare(local);
          else this.#require(own.includes(local), `assignment to ${local.name}, which is not of this iteration`);
          break;
        }
        case 'fold': {
          const { range, terms } = statement;
          const inner = this.#range(range, scope);
          for (const term of terms) {
            this.#require(term.value.dtype === 'f32', `fold of ${term.value.dtype} (expected f32)`);
            this.#term(term, [range.v], inner);
          }
          declare(...terms.map(({ result }) => result));
          break;
        }
        case 'if':
          this.#expr(statement.condition, scope);
          this.#gives(statement.condition, 'bool');
          this.#routine(statement.body, scope, own, single, false);
          break;
        case 'for': {
          const { order, ranges } = statement;
          const lanes = order === 'lanes';
          this.#require(
            !lanes || (!single && split),
            'a loop of lanes under a condition or in a loop that one lane runs',
          );
          this.#require(ranges.length === 1 || (lanes && ranges.length === 2), `a loop over ${ranges.length} ranges`);
          const uniform = ranges.every(({ from, to }) => [from, to].every((index) => exprsOfIndex(index).length === 0));
          this.#require(uniform || !lanes, 'a loop of lanes with a bound from memory');
          let inner = scope;
          for (const range of ranges) inner = this.#range(range, inner, scope);
          // Only what every lane takes alike may hold loops of lanes.
          const splits = split && uniform;
          this.#routine(statement.body, inner, order === 'serial' ? own : [], single || lanes, splits);
          break;
        }
      }
    }
  }

  #range({ v, from, to }: Range, scope: Scope, bounds: Scope = scope): Scope {
    this.#index(from, bounds);
    this.#index(to, bounds);
    return this.#bound(scope, [v]);
  }

  #term({ fn, value, result }: ReduceTerm, vars: readonly IndexVar[], scope: Scope): void {
    this.#expr(value, scope);
    const arg = fn === 'argmax' || fn === 'argmin';
    this.#require(!arg || vars.length === 1, `${fn} over ${vars.length} variables (expected 1)`);
    this.#require(value.dtype !== 'bool' || (fn !== 'sum' && fn !== 'prod'), `${fn} of bool`);
    const expected = arg ? 'i32' : value.dtype;
    this.#require(result.dtype === expected, `dtype of ${fn}: ${result.dtype} (expected ${expected})`);
  }

  #store({ buffer, index, value }: StoreStmt, scope: Scope): void {
    this.#index(index, scope);
    this.#expr(value, scope);
    const spec = this.of.buffers[buffer];
    this.#require(spec !== undefined, `store to buffer ${buffer} of ${this.of.buffers.length}`);
    this.#require(spec.access !== 'read', `store to buffer ${buffer}, which is read-only`);
    this.#require(spec.dtype === value.dtype, `store of ${value.dtype} to buffer ${buffer} of ${spec.dtype}`);
    this.#constantIndex(index, spec.length, `store to buffer ${buffer}`);
  }

  #constantIndex(index: Index, length: number, what: string): void {
    if (index.kind === 'const') this.#require(index.value < length, `${what} at ${index.value} of ${length}`);
  }

  #index(index: Index, scope: Scope): void {
    switch (index.kind) {
      case 'const':
        this.#require(
          Number.isInteger(index.value) && index.value >= 0 && index.value < 2 ** 32,
          `index ${index.value}`,
        );
        return;
      case 'var':
        this.#require(scope.vars.has(index.v), `variable out of scope: ${index.v.name}`);
        return;
      case 'add':
      case 'sub':
        this.#index(index.a, scope);
        this.#index(index.b, scope);
        return;
      case 'mul':
        this.#require(Number.isInteger(index.b) && index.b >= 0, `index factor: ${index.b}`);
        this.#index(index.a, scope);
        return;
      case 'div':
      case 'mod':
        this.#require(Number.isInteger(index.b) && index.b >= 1, `index divisor: ${index.b}`);
        this.#index(index.a, scope);
        return;
      case 'value': {
        const { dtype } = index.expr;
        this.#require(dtype === 'i32' || dtype === 'u32', `index of dtype ${dtype} (expected i32 or u32)`);
        this.#expr(index.expr, scope);
        return;
      }
    }
  }

  #conds(conds: readonly Cond[], scope: Scope): void {
    for (const { a, b } of conds) {
      this.#index(a, scope);
      this.#index(b, scope);
    }
  }

  #operand(expr: Expr, dtype: WordDType, scope: Scope, of: Expr): void {
    this.#expr(expr, scope);
    this.#require(expr.dtype === dtype, `operand of dtype ${expr.dtype} (expected ${dtype}): ${printExpr(of)}`);
  }

  #gives(expr: Expr, dtype: WordDType): void {
    this.#require(expr.dtype === dtype, `dtype ${expr.dtype} (expected ${dtype}): ${printExpr(expr)}`);
  }

  #expr(expr: Expr, scope: Scope): void {
    if (scope.checked.has(expr)) return;
    scope.checked.add(expr);
    const unknown = this.of.kind === 'routine' && ['param', 'guard', 'choose', 'threefry'].includes(expr.kind);
    this.#require(!unknown, `${expr.kind} in a routine`);
    switch (expr.kind) {
      case 'const':
        return;
      case 'param': {
        const dtype = this.of.params[expr.slot];
        this.#require(dtype !== undefined, `param ${expr.slot} of ${this.of.params.length}`);
        this.#gives(expr, dtype);
        return;
      }
      case 'index':
        this.#index(expr.index, scope);
        return;
      case 'load': {
        const spec = this.of.buffers[expr.buffer];
        this.#require(spec !== undefined, `load of buffer ${expr.buffer} of ${this.of.buffers.length}`);
        this.#require(
          this.of.kind === 'routine' || spec.access !== 'write',
          `load of buffer ${expr.buffer}, which is only written`,
        );
        this.#gives(expr, spec.dtype);
        this.#index(expr.index, scope);
        if (!expr.clamp) this.#constantIndex(expr.index, spec.length, `load of buffer ${expr.buffer}`);
        return;
      }
      case 'guard':
        this.#conds(expr.conds, scope);
        this.#operand(expr.value, expr.dtype, scope, expr);
        return;
      case 'choose':
        this.#conds(expr.conds, scope);
        this.#operand(expr.a, expr.dtype, scope, expr);
        this.#operand(expr.b, expr.dtype, scope, expr);
        return;
      case 'unary':
        this.#expr(expr.x, scope);
        this.#require(unaryFns[expr.fn][expr.x.dtype] !== undefined, `${expr.fn} of ${expr.x.dtype}`);
        this.#gives(expr, UNARY_RULES[expr.fn].gives ?? expr.x.dtype);
        return;
      case 'binary':
        this.#expr(expr.a, scope);
        this.#operand(expr.b, expr.a.dtype, scope, expr);
        this.#require(binaryFns[expr.fn][expr.a.dtype] !== undefined, `${expr.fn} of ${expr.a.dtype}`);
        this.#gives(expr, BINARY_RULES[expr.fn].gives ?? expr.a.dtype);
        return;
      case 'where':
        this.#operand(expr.cond, 'bool', scope, expr);
        this.#operand(expr.a, expr.dtype, scope, expr);
        this.#operand(expr.b, expr.dtype, scope, expr);
        return;
      case 'cast':
        this.#expr(expr.x, scope);
        castFn(expr);
        return;
      case 'threefry':
        this.#operand(expr.key0, 'u32', scope, expr);
        this.#operand(expr.key1, 'u32', scope, expr);
        this.#index(expr.counter, scope);
        return;
      case 'result':
        this.#require(scope.results.has(expr.of), `result out of scope: ${expr.of.name}`);
        this.#gives(expr, expr.of.dtype);
        return;
    }
  }
}
