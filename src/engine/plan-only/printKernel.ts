import type { Cond, Expr, Index, IndexVar, Kernel, ReduceStmt, Stmt, StoreStmt } from '../../../kernels/ir.js';
import { printKernel as printRoutine } from '../../../kernels/print.js';

/**
 * The loop nest of a kernel as text. A value that is used more than once is printed once, as `v1`, `v2`, …:
 *
 * ```
 * kernel mul_sum (f32[6] read, f32[2] write)
 *   for r < 2
 *     reduce c < 3: s = sum(b0[r * 3 + c])
 *     b1[r] = s * 2
 * ```
 */
export function printKernel(kernel: Kernel): string {
  if (kernel.kind === 'routine') return printRoutine(kernel);
  const params = kernel.params.map((dtype, slot) => `, p${slot}: ${dtype}`).join('');
  const buffers = kernel.buffers.map(({ dtype, length, access }, i) => `b${i}: ${dtype}[${length}] ${access}`);
  const lines = [`kernel ${kernel.name} (${buffers.join(', ')}${params})`];
  if (kernel.kind === 'contraction') {
    const { batch, m, n, k, acc, a, b, epilogue } = kernel;
    const printer = new Printer('    ', [a, b, ...epilogue.map(({ value }) => value)]);
    lines.push(`  for ${loops([batch, m, n])}`);
    const product = `${printer.expr(a)} * ${printer.expr(b)}`;
    printer.line(`reduce ${loops([k])}: ${acc.name} = sum(${product})`);
    for (const store of epilogue) printer.store(store);
    lines.push(...printer.lines);
  } else {
    for (const { parallel, body } of kernel.segments) {
      lines.push(`  for ${loops(parallel)}`);
      const printer = new Printer('    ', body.flatMap(expressionsOf));
      for (const statement of body) printer.statement(statement);
      lines.push(...printer.lines);
    }
  }
  return lines.join('\n');
}

const loops = (vars: readonly IndexVar[]) =>
  vars.length === 0 ? 'once' : vars.map(({ name, extent }) => `${name} < ${extent}`).join(', ');

function expressionsOf(statement: Stmt): Expr[] {
  switch (statement.kind) {
    case 'store':
      return [statement.value];
    case 'reduce':
      return statement.terms.map(({ value }) => value);
    case 'loop':
      return statement.body.map(({ value }) => value);
  }
}

const SYMBOLS: Partial<Record<Extract<Expr, { kind: 'binary' }>['fn'], string>> = {
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

class Printer {
  readonly lines: string[] = [];
  #indent: string;
  readonly #shared: ReadonlySet<Expr>;
  readonly #names = new Map<Expr, string>();

  constructor(indent: string, roots: readonly Expr[]) {
    this.#indent = indent;
    this.#shared = usedTwice(roots);
  }

  line(text: string): void {
    this.lines.push(this.#indent + text);
  }

  statement(statement: Stmt): void {
    switch (statement.kind) {
      case 'store':
        this.store(statement);
        break;
      case 'reduce':
        this.#reduce(statement);
        break;
      case 'loop': {
        this.line(`for ${loops(statement.vars)}`);
        const outside = this.#indent;
        this.#indent += '  ';
        for (const store of statement.body) this.store(store);
        this.#indent = outside;
      }
    }
  }

  store({ buffer, index, value }: StoreStmt): void {
    const text = this.expr(value);
    this.line(`b${buffer}[${this.index(index)}] = ${text}`);
  }

  #reduce({ vars, terms }: ReduceStmt): void {
    const results = terms.map(({ fn, value, result }) => `${result.name} = ${fn}(${this.expr(value)})`);
    this.line(`reduce ${loops(vars)}: ${results.join(', ')}`);
  }

  expr(root: Expr): string {
    // Children first, without recursion: expressions may be deep.
    const texts = new Map<Expr, string>();
    const stack: Expr[] = [root];
    while (stack.length > 0) {
      const expr = stack[stack.length - 1];
      const named = this.#names.get(expr);
      if (named !== undefined || texts.has(expr)) {
        texts.set(expr, named ?? texts.get(expr)!);
        stack.pop();
        continue;
      }
      const missing = operandsOf(expr).filter((child) => !texts.has(child));
      if (missing.length > 0) {
        stack.push(...missing.reverse());
        continue;
      }
      stack.pop();
      const text = this.#one(expr, (child) => texts.get(child)!);
      if (this.#shared.has(expr) && operandsOf(expr).length > 0) {
        const name = `v${this.#names.size + 1}`;
        this.line(`${name} = ${text}`);
        this.#names.set(expr, name);
        texts.set(expr, name);
      } else texts.set(expr, text);
    }
    return texts.get(root)!;
  }

  #one(expr: Expr, text: (child: Expr) => string): string {
    const grouped = (child: Expr) =>
      /^[\w.]+$|^[\w.]*[([][^()[\]]*[)\]]$/.test(text(child)) ? text(child) : `(${text(child)})`;
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
        return `if(${this.#conds(expr.conds)}, ${text(expr.value)}, ${expr.otherwise})`;
      case 'choose':
        return `if(${this.#conds(expr.conds)}, ${text(expr.a)}, ${text(expr.b)})`;
      case 'unary':
        return `${expr.fn}(${text(expr.x)})`;
      case 'binary': {
        const symbol = SYMBOLS[expr.fn];
        return symbol
          ? `${grouped(expr.a)} ${symbol} ${grouped(expr.b)}`
          : `${expr.fn}(${text(expr.a)}, ${text(expr.b)})`;
      }
      case 'where':
        return `where(${text(expr.cond)}, ${text(expr.a)}, ${text(expr.b)})`;
      case 'cast':
        return `${expr.via === undefined ? '' : `${expr.via}_`}${expr.dtype}(${text(expr.x)})`;
      case 'threefry':
        return `threefry(${text(expr.key0)}, ${text(expr.key1)}, ${this.index(expr.counter)})`;
      case 'result':
        return expr.of.name;
    }
  }

  index(index: Index): string {
    const part = (child: Index) =>
      child.kind === 'const' || child.kind === 'var' || child.kind === 'value'
        ? this.index(child)
        : `(${this.index(child)})`;
    switch (index.kind) {
      case 'const':
        return String(index.value);
      case 'var':
        return index.v.name;
      case 'add':
        return `${this.index(index.a)} + ${this.index(index.b)}`;
      case 'sub':
        return `${this.index(index.a)} - ${part(index.b)}`;
      case 'mul':
        return `${part(index.a)} * ${index.b}`;
      case 'div':
        return `${part(index.a)} / ${index.b}`;
      case 'mod':
        return `${part(index.a)} % ${index.b}`;
      case 'value':
        return `u32(${this.expr(index.expr)})`;
    }
  }

  #conds(conds: readonly Cond[]): string {
    const symbols = { lt: '<', ge: '>=', eq: '==' } as const;
    return conds.map(({ kind, a, b }) => `${this.index(a)} ${symbols[kind]} ${this.index(b)}`).join(' && ');
  }
}

/** The expressions that an expression is computed from, except those inside indices. */
function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'guard':
      return [expr.value];
    case 'choose':
    case 'binary':
      return [expr.a, expr.b];
    case 'unary':
    case 'cast':
      return [expr.x];
    case 'where':
      return [expr.cond, expr.a, expr.b];
    case 'threefry':
      return [expr.key0, expr.key1];
    case 'const':
    case 'param':
    case 'index':
    case 'load':
    case 'result':
      return [];
  }
}

function usedTwice(roots: readonly Expr[]): Set<Expr> {
  const seen = new Set<Expr>();
  const twice = new Set<Expr>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop()!;
    if (seen.has(expr)) twice.add(expr);
    else {
      seen.add(expr);
      stack.push(...operandsOf(expr));
    }
  }
  return twice;
}
