import type {
  Cond,
  ContractionKernel,
  Expr,
  Index,
  IndexVar,
  Kernel,
  Range,
  Result,
  RoutineKernel,
  RoutineStmt,
  Stmt,
  StoreStmt,
} from './ir.js';

/** A kernel as indented text: buffers, loops, and one statement a line; parts of expressions that are used again have names. */
export function printKernel(kernel: Kernel): string {
  const printer = new Printer();
  const buffers = kernel.buffers.map(({ dtype, length, access }, i) => `  b${i}: ${dtype}[${length}] ${access}`);
  const params = kernel.params.map((dtype, i) => `  p${i}: ${dtype}`);
  const body = bodyOf(kernel, printer);
  return [`${kernel.kind} kernel ${kernel.name}`, ...buffers, ...params, ...body].join('\n');
}

function bodyOf(kernel: Kernel, printer: Printer): string[] {
  if (kernel.kind === 'loop') return kernel.segments.flatMap((segment) => printer.segment(segment));
  return kernel.kind === 'routine' ? printer.routine(kernel) : printer.contraction(kernel);
}

/** An expression on one line, for messages. */
export const printExpr = (expr: Expr): string => new Printer().expr(expr);

const MAX_LENGTH = 100;
const INFIX: Partial<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  and: '&',
  or: '|',
  xor: '^',
  shiftLeft: '<<',
  shiftRight: '>>',
};
const COMPARISONS = { lt: '<', ge: '>=', eq: '==' };

class Printer {
  readonly #names = new Map<object, string>();
  readonly #taken = new Set<string>();
  readonly #shared = new Map<Expr, string>();
  #lets: string[] = [];

  segment({ parallel, body }: { parallel: readonly IndexVar[]; body: readonly Stmt[] }): string[] {
    return [`parallel ${this.#ranges(parallel)}`, ...indent(body.flatMap((statement) => this.statement(statement)))];
  }

  contraction({ batch, m, n, k, a, b, acc, dtype, epilogue }: ContractionKernel): string[] {
    const value = this.#withLets(() => [`${this.#name(acc)}: ${dtype} += ${this.expr(a)} * ${this.expr(b)}`]);
    return [
      `parallel ${this.#ranges([batch, m, n])}`,
      ...indent([
        `sum over ${this.#ranges([k])}`,
        ...indent(value),
        ...epilogue.flatMap((store) => this.#store(store)),
      ]),
    ];
  }

  routine({ batch, column, body }: RoutineKernel): string[] {
    return [
      column ? `each ${this.#ranges([batch, column])}` : `matrix ${this.#ranges([batch])}`,
      ...indent(this.#routineBody(body)),
    ];
  }

  #routineBody(body: readonly RoutineStmt[]): string[] {
    return body.flatMap((statement) => this.#routineStatement(statement));
  }

  #routineStatement(statement: RoutineStmt): string[] {
    switch (statement.kind) {
      case 'store':
        return this.#store(statement);
      case 'let':
      case 'assign':
        return this.#withLets(() => {
          const start = statement.kind === 'let' ? 'let ' : '';
          return [`${start}${this.#name(statement.local)} = ${this.expr(statement.value)}`];
        });
      case 'fold':
        return [
          `fold ${this.#bounds([statement.range])}`,
          ...indent(
            statement.terms.flatMap(({ fn, value, result }) =>
              this.#withLets(() => [`${this.#name(result)} = ${fn} ${this.expr(value)}`]),
            ),
          ),
        ];
      case 'if':
        return [
          ...this.#withLets(() => [`if ${this.expr(statement.condition)}`]),
          ...indent(this.#routineBody(statement.body)),
        ];
      case 'for':
        return [`${statement.order} ${this.#bounds(statement.ranges)}`, ...indent(this.#routineBody(statement.body))];
    }
  }

  #bounds(ranges: readonly Range[]): string {
    return ranges.map(({ v, from, to }) => `${this.#name(v)} = ${this.index(from)} .. ${this.index(to)}`).join(', ');
  }

  statement(statement: Stmt): string[] {
    switch (statement.kind) {
      case 'store':
        return this.#store(statement);
      case 'loop':
        return [
          `for ${this.#ranges(statement.vars)}`,
          ...indent(statement.body.flatMap((store) => this.#store(store))),
        ];
      case 'reduce': {
        const terms = this.#withLets(() =>
          statement.terms.map(
            ({ fn, value, result }) => `${this.#name(result)}: ${result.dtype} = ${fn} ${this.expr(value)}`,
          ),
        );
        return [`reduce ${this.#ranges(statement.vars)}`, ...indent(terms)];
      }
    }
  }

  #store({ buffer, index, value }: StoreStmt): string[] {
    return this.#withLets(() => [`b${buffer}[${this.index(index)}] = ${this.expr(value)}`]);
  }

  /** Lines with the names that they need before them. */
  #withLets(lines: () => string[]): string[] {
    this.#lets = [];
    const made = lines();
    return [...this.#lets, ...made];
  }

  #ranges(vars: readonly IndexVar[]): string {
    return vars.length === 0 ? '()' : vars.map((v) => `${this.#name(v)} < ${v.extent}`).join(', ');
  }

  #name(of: IndexVar | Result): string {
    let name = this.#names.get(of);
    if (name === undefined) {
      name = of.name;
      for (let n = 2; this.#taken.has(name); n++) name = `${of.name}_${n}`;
      this.#taken.add(name);
      this.#names.set(of, name);
    }
    return name;
  }

  index(index: Index): string {
    switch (index.kind) {
      case 'const':
        return String(index.value);
      case 'var':
        return this.#name(index.v);
      case 'add':
        return `${this.index(index.a)} + ${this.index(index.b)}`;
      case 'sub':
        return `${this.index(index.a)} - ${this.#inParentheses(index.b)}`;
      case 'mul':
        return `${this.#inParentheses(index.a)}*${index.b}`;
      case 'div':
        return `${this.#inParentheses(index.a)}/${index.b}`;
      case 'mod':
        return `${this.#inParentheses(index.a)}%${index.b}`;
      case 'value':
        return `u32(${this.expr(index.expr)})`;
    }
  }

  #inParentheses(index: Index): string {
    const text = this.index(index);
    return index.kind === 'add' || index.kind === 'sub' ? `(${text})` : text;
  }

  #conds(conds: readonly Cond[]): string {
    return (
      conds.map(({ kind, a, b }) => `${this.index(a)} ${COMPARISONS[kind]} ${this.index(b)}`).join(' && ') || 'true'
    );
  }

  /** Long expressions are cut into named parts, so that the text stays readable and shared parts are written once. */
  expr(expr: Expr): string {
    const known = this.#shared.get(expr);
    if (known !== undefined) return known;
    const text = this.#text(expr);
    if (text.length <= MAX_LENGTH) return text;
    const name = `t${this.#shared.size}`;
    this.#lets.push(`${name} = ${text}`);
    this.#shared.set(expr, name);
    return name;
  }

  #text(expr: Expr): string {
    switch (expr.kind) {
      case 'const':
        return expr.dtype === 'bool' ? String(expr.value !== 0) : Object.is(expr.value, -0) ? '-0' : String(expr.value);
      case 'param':
        return `p${expr.slot}`;
      case 'index':
        return `${expr.dtype}(${this.index(expr.index)})`;
      case 'load':
        return `b${expr.buffer}[${this.index(expr.index)}${expr.clamp ? ' clamped' : ''}]`;
      case 'guard':
        return `(${this.#conds(expr.conds)} ? ${this.expr(expr.value)} : ${expr.otherwise})`;
      case 'choose':
        return `(${this.#conds(expr.conds)} ? ${this.expr(expr.a)} : ${this.expr(expr.b)})`;
      case 'unary':
        return `${expr.fn}(${this.expr(expr.x)})`;
      case 'binary': {
        const [a, b] = [this.expr(expr.a), this.expr(expr.b)];
        const infix = INFIX[expr.fn];
        return infix ? `(${a} ${infix} ${b})` : `${expr.fn}(${a}, ${b})`;
      }
      case 'where':
        return `(${this.expr(expr.cond)} ? ${this.expr(expr.a)} : ${this.expr(expr.b)})`;
      case 'cast':
        return `${expr.via === undefined ? '' : `${expr.via}_`}${expr.dtype}(${this.expr(expr.x)})`;
      case 'threefry':
        return `threefry(${this.expr(expr.key0)}, ${this.expr(expr.key1)}, ${this.index(expr.counter)})`;
      case 'result':
        return this.#name(expr.of);
    }
  }
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
