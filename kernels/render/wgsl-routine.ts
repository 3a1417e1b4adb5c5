import type { Expr, Index, IndexVar, Range, Result, RoutineKernel, RoutineStmt } from '../ir.js';
import { binaryFns, castFn, unaryFns } from '../numerics/index.js';
import { gridOf, type RenderedKernel, signatureOf } from './rendered.js';
import type { RenderCapabilities } from './schedule.js';
import { exprsOfIndex, loadsBelow } from './uses.js';
import { unwrap } from './wgsl-values.js';
import { WgslModule } from './wgsl-writer.js';

/** Lanes on one matrix: a CPU pays for each at every barrier, and does alone what all of them do alike. */
const SOFTWARE_LANES = 16;
const GPU_LANES = 64;
const MOST_GPU_LANES = 256;
/** Floating-point operations from which a lane more is worth the wait for it. */
const FLOPS_PER_LANE = 20_000;

function lanesFor(
  { flops, batch }: RoutineKernel,
  { software, maxInvocationsPerWorkgroup }: RenderCapabilities,
): number {
  let lanes = software ? SOFTWARE_LANES : GPU_LANES;
  while (!software && lanes < MOST_GPU_LANES && flops / batch.extent > lanes * FLOPS_PER_LANE) lanes *= 2;
  return Math.min(lanes, maxInvocationsPerWorkgroup);
}

/** Threads of a workgroup where each has a column of its own: a CPU takes workgroups of their own for its cores, then large ones. */
function threadsFor(count: number, { software, maxInvocationsPerWorkgroup }: RenderCapabilities): number {
  let threads = software ? 4 : 64;
  while (software && threads < 256 && threads * 32 <= count) threads *= 2;
  return Math.min(threads, maxInvocationsPerWorkgroup);
}

/** Renders a routine to WGSL: a workgroup for each matrix, whose threads are the lanes, or a thread for each column. */
export function renderRoutine(kernel: RoutineKernel, capabilities: RenderCapabilities): RenderedKernel {
  const { batch, column } = kernel;
  const count = batch.extent * (column?.extent ?? 1);
  const lanes = column ? threadsFor(count, capabilities) : lanesFor(kernel, capabilities);
  const module = new WgslModule(kernel);
  const groups = column ? Math.ceil(count / lanes) : count;
  const workgroups = gridOf(kernel.name, groups, capabilities.maxWorkgroupsPerDimension);
  const body = new RoutineWriter(module, kernel, lanes).lines();
  const folded = workgroups[1] > 1 ? ` + workgroup.y * ${workgroups[0]}u` : '';
  const points = workgroups[0] * workgroups[1] * (column ? lanes : 1);
  const main = [
    column ? `let point = (workgroup.x${folded}) * ${lanes}u + lane;` : `let matrix = workgroup.x${folded};`,
    ...(points > count ? [`if (${column ? 'point' : 'matrix'} >= ${count}u) { return; }`] : []),
    ...(column ? [`let matrix = point / ${column.extent}u;`, `let column = point % ${column.extent}u;`] : []),
    ...body,
  ];
  const code = [
    module.declarations(),
    module.helpers(),
    `@compute @workgroup_size(${lanes})`,
    'fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {',
    ...indent(main),
    '}',
    '',
  ].join('\n');
  return { code, entryPoint: 'main', workgroups, ...signatureOf(kernel) };
}

class RoutineWriter {
  readonly #names = new Map<IndexVar | Result, string>();
  /** Whether some lane may still be reading, in code that all lanes run, what a loop of lanes is about to overwrite. */
  #reading = false;

  constructor(
    private readonly module: WgslModule,
    private readonly kernel: RoutineKernel,
    private readonly lanes: number,
  ) {
    this.#names.set(kernel.batch, 'matrix');
    if (kernel.column) this.#names.set(kernel.column, 'column');
  }

  lines(): string[] {
    return this.#body(this.kernel.body, this.kernel.column === undefined);
  }

  /** @param shared whether all lanes run the statements */
  #body(body: readonly RoutineStmt[], shared: boolean): string[] {
    return body.flatMap((statement) => this.#statement(statement, shared));
  }

  #statement(statement: RoutineStmt, shared: boolean): string[] {
    if (shared && readsMemory(statement)) this.#reading = true;
    switch (statement.kind) {
      case 'store': {
        const { buffer, index, value } = statement;
        const word = unwrap(this.#expr(value));
        return [`b${buffer}[${unwrap(this.#index(index))}] = ${value.dtype === 'bool' ? `u32(${word})` : word};`];
      }
      case 'let': {
        const value = unwrap(this.#expr(statement.value));
        return [`var ${this.#declare(statement.local)}: ${statement.local.dtype} = ${value};`];
      }
      case 'assign':
        return [`${this.#name(statement.local)} = ${unwrap(this.#expr(statement.value))};`];
      case 'fold': {
        const { range, terms } = statement;
        const results = terms.map(({ result }) => this.#declare(result));
        const start = terms.map(({ fn }) => this.module.constant(fn === 'sum' ? 0 : Number.NEGATIVE_INFINITY, 'f32'));
        const header = this.#counting(range);
        const steps = terms.map(({ fn, value }, i) => {
          const combine = binaryFns[fn === 'sum' ? 'add' : 'max'].f32!;
          return `${results[i]} = ${unwrap(this.module.call(combine, [results[i]!, this.#expr(value)]))};`;
        });
        const declared = results.map((name, i) => `var ${name}: f32 = ${start[i]};`);
        return [...declared, `${header} {`, ...indent(steps), '}'];
      }
      case 'if':
        return [
          `if (${unwrap(this.#expr(statement.condition))}) {`,
          ...indent(this.#body(statement.body, shared)),
          '}',
        ];
      case 'for': {
        const { order, ranges } = statement;
        if (order === 'lanes') return this.#lanes(ranges, statement.body);
        // What the end of an iteration reads may be overwritten at the beginning of the next one.
        if (shared && statement.body.some(readsMemory)) this.#reading = true;
        const before = this.#reading;
        const header = this.#counting(ranges[0]!);
        const lines = [`${header} {`, ...indent(this.#body(statement.body, shared)), '}'];
        // The loop may have had no iteration, and no barrier then.
        this.#reading ||= before;
        return lines;
      }
    }
  }

  #lanes(ranges: readonly Range[], body: readonly RoutineStmt[]): string[] {
    const before = this.#reading ? ['storageBarrier();'] : [];
    this.#reading = false;
    const [first, second] = ranges;
    if (!second) {
      const header = this.#counting(first!, 'lane', this.lanes);
      return [...before, `${header} {`, ...indent(this.#body(body, false)), '}', 'storageBarrier();'];
    }
    const bounds = ranges.map(({ from, to }) => [unwrap(this.#index(from)), unwrap(this.#index(to))] as const);
    const [height, width, point] = ['height', 'width', 'point'].map((name) => this.module.fresh(name)) as [
      string,
      string,
      string,
    ];
    const [i, j] = ranges.map(({ v }) => this.#declare(v)) as [string, string];
    return [
      ...before,
      `let ${height} = ${bounds[0]![1]} - (${bounds[0]![0]});`,
      `let ${width} = ${bounds[1]![1]} - (${bounds[1]![0]});`,
      `for (var ${point} = lane; ${point} < ${height} * ${width}; ${point} += ${this.lanes}u) {`,
      `  let ${i} = ${bounds[0]![0]} + ${point} / ${width};`,
      `  let ${j} = ${bounds[1]![0]} + ${point} % ${width};`,
      ...indent(this.#body(body, false)),
      '}',
      'storageBarrier();',
    ];
  }

  #counting({ v, from, to }: Range, offset: string | null = null, step = 1): string {
    const start = this.#index(from);
    const end = this.#index(to);
    const name = this.#declare(v);
    const begin = offset === null ? unwrap(start) : start === '0u' ? offset : `${start} + ${offset}`;
    return `for (var ${name} = ${begin}; ${name} < ${end}; ${name} += ${step}u)`;
  }

  #declare(of: IndexVar | Result): string {
    const name = this.module.fresh(`${of.name}_`);
    this.#names.set(of, name);
    return name;
  }

  #name(of: IndexVar | Result): string {
    return this.#names.get(of)!;
  }

  #index(index: Index): string {
    switch (index.kind) {
      case 'const':
        return `${index.value}u`;
      case 'var':
        return this.#name(index.v);
      case 'add':
        return `(${this.#index(index.a)} + ${this.#index(index.b)})`;
      case 'sub':
        return `(${this.#index(index.a)} - ${this.#index(index.b)})`;
      case 'mul':
        return `(${this.#index(index.a)} * ${index.b}u)`;
      case 'div':
        return `(${this.#index(index.a)} / ${index.b}u)`;
      case 'mod':
        return `(${this.#index(index.a)} % ${index.b}u)`;
      case 'value': {
        const value = this.#expr(index.expr);
        return index.expr.dtype === 'u32' ? value : `u32(${unwrap(value)})`;
      }
    }
  }

  #expr(expr: Expr): string {
    switch (expr.kind) {
      case 'const':
        return this.module.constant(expr.value, expr.dtype);
      case 'index': {
        const index = this.#index(expr.index);
        return expr.dtype === 'u32' ? index : `i32(${unwrap(index)})`;
      }
      case 'load': {
        const index = unwrap(this.#index(expr.index));
        const last = this.kernel.buffers[expr.buffer]!.length - 1;
        const value = `b${expr.buffer}[${expr.clamp ? `min(${index}, ${last}u)` : index}]`;
        return expr.dtype === 'bool' ? `(${value} != 0u)` : value;
      }
      case 'unary':
        return this.module.call(unaryFns[expr.fn][expr.x.dtype]!, [this.#expr(expr.x)]);
      case 'binary':
        return this.module.call(binaryFns[expr.fn][expr.a.dtype]!, [this.#expr(expr.a), this.#expr(expr.b)]);
      case 'where':
        return `select(${[expr.b, expr.a, expr.cond].map((part) => unwrap(this.#expr(part))).join(', ')})`;
      case 'cast':
        return this.module.call(castFn(expr), [this.#expr(expr.x)]);
      case 'result':
        return this.#name(expr.of);
      default:
        throw new TypeError(`${expr.kind} in a routine`);
    }
  }
}

/** Whether a statement that all lanes run reads memory. */
function readsMemory(statement: RoutineStmt): boolean {
  const reads = (roots: readonly Expr[]) => loadsBelow(roots).length > 0;
  switch (statement.kind) {
    case 'store':
      return false;
    case 'let':
    case 'assign':
      return reads([statement.value]);
    case 'fold':
      return reads([
        ...statement.terms.map(({ value }) => value),
        ...exprsOfIndex(statement.range.from),
        ...exprsOfIndex(statement.range.to),
      ]);
    case 'if':
      return reads([statement.condition]) || statement.body.some(readsMemory);
    case 'for':
      return statement.order !== 'lanes' && statement.body.some(readsMemory);
  }
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
