import {
  bytesFor,
  InternalError,
  isPacked,
  isPrim,
  type Node,
  type PackedDType,
  packingOf,
  sameShape,
  sizeOf,
  type WordDType,
  wideDType,
} from '../../src/graph/index.js';
import type {
  BufferSpec,
  ContractionKernel,
  Expr,
  IndexVar,
  Kernel,
  LoopKernel,
  LoopStmt,
  ReduceStmt,
  Result,
  RoutineKernel,
  Segment,
  Stmt,
  StoreStmt,
} from '../ir.js';
import type { MakeRoutine } from '../routines/index.js';
import { operandSource, type RoutinePrim } from '../routines/operands.js';
import { operands } from './contraction.js';
import { Evaluator, type Sources } from './evaluate.js';
import { FusionMismatch, type Group, type RowDomain } from './group.js';
import { flatten, type Lin, linAddConst, linDiv, linMul, linVar, toIndex, unflatten, ZERO } from './lin.js';
import { packed } from './packed.js';

/** A kernel, and which storage and scalar each of its buffers and params is. */
export interface Lowered {
  readonly kernel: Kernel;
  /** For each of the kernel's buffers, the storage number that `storageOf` gave. */
  readonly bindings: readonly number[];
  readonly params: readonly Node<'scalar'>[];
}

/** Numbers the buffers and params of one kernel as they are met. */
class Binder {
  readonly bindings: number[] = [];
  readonly params: Node<'scalar'>[] = [];
  private readonly specs: { dtype: WordDType; length: number; read: boolean; written: boolean }[] = [];

  constructor(private readonly storageOf: (node: Node) => number | null) {}

  private buffer(node: Node): number | null {
    const storage = this.storageOf(node);
    if (storage === null) return null;
    let number = this.bindings.indexOf(storage);
    if (number < 0) {
      number = this.bindings.push(storage) - 1;
      const dtype = isPacked(node.dtype) ? 'u32' : node.dtype;
      this.specs.push({ dtype, length: bytesFor(sizeOf(node.shape), node.dtype) / 4, read: false, written: false });
    }
    return number;
  }

  has(node: Node): boolean {
    return this.storageOf(node) !== null;
  }

  read(node: Node): number | null {
    const number = this.buffer(node);
    if (number !== null) this.specs[number]!.read = true;
    return number;
  }

  write(node: Node): number {
    const number = this.buffer(node);
    if (number === null) throw new InternalError(`[lower] output ${node.id} has no storage`);
    this.specs[number]!.written = true;
    return number;
  }

  param(node: Node<'scalar'>): number {
    const found = this.params.indexOf(node);
    return found >= 0 ? found : this.params.push(node) - 1;
  }

  buffers(): BufferSpec[] {
    return this.specs.map(({ dtype, length, read, written }) => ({
      dtype,
      length,
      access: read && written ? 'readwrite' : written ? 'write' : 'read',
    }));
  }
}

/**
 * Lowers groups to one kernel; several groups, none a contraction and none reading another's outputs, share a launch.
 *
 * @param routines makes the kernels of routines; not needed where there are none
 * @param software whether they are to run on a CPU
 */
export function lowerGroups(
  groups: readonly Group[],
  storageOf: (node: Node) => number | null,
  routines: MakeRoutine | null = null,
  software = true,
): Lowered {
  const binder = new Binder(storageOf);
  const anchored = groups.find((g) => g.anchor !== null);
  if (anchored !== undefined && groups.length > 1) throw new InternalError('[lower] a contraction shares no launch');
  const routine = groups[0]?.routine;
  const kernel = routine
    ? lowerRoutine(routine, groups[0]!.scratch ?? null, binder, routines, software)
    : anchored === undefined
      ? lowerLoops(groups, binder)
      : lowerContraction(anchored, binder);
  return { kernel, bindings: binder.bindings, params: binder.params };
}

function lowerRoutine(
  node: Node<RoutinePrim>,
  scratch: Node | null,
  binder: Binder,
  routines: MakeRoutine | null,
  software: boolean,
): RoutineKernel {
  if (routines === null) throw new InternalError(`[lower] ${node.prim} without the programs of routines`);
  const operands = node.inputs.map((_, at) => {
    const source = operandSource(node, at, (view) => binder.has(view));
    const buffer = source.base === null ? -1 : binder.read(source.base);
    if (buffer === null) throw new InternalError(`[lower] operand ${at} of ${node.prim} is not stored`);
    return { ...source, buffer };
  });
  const written = [node, ...(scratch ? [scratch] : [])].map((output) => binder.write(output));
  return routines(node, operands, written, software);
}

function lowerLoops(groups: readonly Group[], binder: Binder): LoopKernel {
  const segments = groups.map((g) => lowerSegment(g, binder));
  return {
    kind: 'loop',
    name: groups.map(nameOf).join('__'),
    buffers: binder.buffers(),
    params: binder.params.map((p) => wideDType(p.dtype)),
    flops: groups.reduce((sum, g) => sum + flopsOf(g), 0),
    segments,
  };
}

function nameOf(group: Group): string {
  const names: string[] = [];
  for (const node of [...group.interior].sort((a, b) => a.id - b.id)) {
    const name = isPrim(node, 'unary') || isPrim(node, 'binary') || isPrim(node, 'reduce') ? node.attrs.fn : node.prim;
    if (['reshape', 'expand', 'const', 'scalar', 'barrier'].includes(name)) continue;
    if (names[names.length - 1] !== name) names.push(name);
  }
  const text = names.length > 8 ? [...names.slice(0, 4), ...names.slice(-4)].join('_') : names.join('_');
  return text === '' ? 'copy' : text;
}

function flopsOf(group: Group): number {
  let flops = 0;
  for (const node of group.interior) {
    if (isPrim(node, 'dot')) flops += 2 * sizeOf(node.shape) * node.inputs[0]!.shape.at(-1)!;
    else if (isPrim(node, 'conv')) flops += 2 * sizeOf(node.shape) * sizeOf(node.inputs[1]!.shape.slice(1));
    else if (isPrim(node, 'reduce')) flops += sizeOf(node.inputs[0]!.shape);
    else if (isPrim(node, 'unary') || isPrim(node, 'binary')) flops += sizeOf(node.shape);
  }
  return flops;
}

const extentOf = (d: RowDomain, reduced: boolean): number =>
  d.shape.reduce((n, s, axis) => (d.axes.includes(axis) === reduced ? n * s : n), 1);

/** Rows of a domain. */
export const rowsOf = (domain: RowDomain): number => extentOf(domain, false);
/** Elements of each row. */
export const columnsOf = (domain: RowDomain): number => extentOf(domain, true);

/** Index vector of the domain's shape from the position of the row and the position inside it. */
function domainIndices(domain: RowDomain, row: Lin, column: Lin): Lin[] {
  const kept = domain.shape.map((_, i) => i).filter((i) => !domain.axes.includes(i));
  const rowAt = unflatten(
    row,
    kept.map((i) => domain.shape[i]!),
  );
  const columnAt = unflatten(
    column,
    domain.axes.map((i) => domain.shape[i]!),
  );
  const out = new Array<Lin>(domain.shape.length);
  kept.forEach((axis, i) => {
    out[axis] = rowAt[i]!;
  });
  domain.axes.forEach((axis, i) => {
    out[axis] = columnAt[i]!;
  });
  return out;
}

/** Whether an output of a group with rows is stored once a row or once an element. */
export function levelOf(output: Node, domain: RowDomain): 'row' | 'full' | null {
  const size = sizeOf(output.shape);
  if (sameShape(output.shape, domain.shape)) return columnsOf(domain) === 1 ? 'row' : 'full';
  if (size === rowsOf(domain)) return 'row';
  return size === sizeOf(domain.shape) ? 'full' : null;
}

function lowerSegment(group: Group, binder: Binder): Segment {
  const { domain } = group;
  if (domain === null) {
    const first = group.outputs[0]!;
    // A point stores whole words.
    const point: IndexVar = { name: 'p', extent: bytesFor(sizeOf(first.shape), first.dtype) / 4 };
    const evaluator = new Evaluator(sourcesOf(group, binder, () => null));
    const body = group.outputs.map((o) =>
      isPacked(o.dtype)
        ? storeWord(o, o.dtype, linVar(point), evaluator, binder, (from) => unflatten(from, o.shape))
        : storeOf(o, unflatten(linVar(point), o.shape), evaluator, binder),
    );
    return { parallel: [point], body };
  }
  return lowerRows(group, domain, binder);
}

/** Reads come from memory unless the node is inside the group; inside, an output is computed, not read back. */
function sourcesOf(group: Group, binder: Binder, resultOf: Sources['resultOf']): Sources {
  return {
    bufferOf: (node) => (group.interior.has(node) ? null : binder.read(node)),
    paramOf: (node) => binder.param(node),
    resultOf,
  };
}

function storeOf(output: Node, indices: readonly Lin[], evaluator: Evaluator, binder: Binder): StoreStmt {
  const value = evaluator.at(output, indices);
  return { kind: 'store', buffer: binder.write(output), index: toIndex(flatten(indices, output.shape)), value };
}

/** Stores one word of a packed output, number `word` of the whole or of a row; past its end stand values that nobody reads. */
function storeWord(
  output: Node,
  dtype: PackedDType,
  word: Lin,
  evaluator: Evaluator,
  binder: Binder,
  indicesAt: (element: Lin) => Lin[],
): StoreStmt {
  const per = packingOf(dtype);
  const values = Array.from({ length: per }, (_, i) =>
    evaluator.at(output, indicesAt(linAddConst(linMul(word, per), i))),
  );
  const first = flatten(indicesAt(linMul(word, per)), output.shape);
  return {
    kind: 'store',
    buffer: binder.write(output),
    index: toIndex(linDiv(first, per)),
    value: packed(values, dtype),
  };
}

function lowerRows(group: Group, domain: RowDomain, binder: Binder): Segment {
  const row: IndexVar = { name: 'row', extent: rowsOf(domain) };
  const columns = columnsOf(domain);
  const rowKeyOf = (reduce: Node, indices: readonly Lin[]): string =>
    indices.map((v, i) => (reduce.shape[i] === 1 && domain.axes.includes(i) ? '' : v.key)).join(';');
  const results = new Map<Node, Result>();
  const rowKey = domainIndices(domain, linVar(row), ZERO)
    .map((v, i) => (domain.axes.includes(i) ? '' : v.key))
    .join(';');
  const evaluator = new Evaluator(
    sourcesOf(group, binder, (node, indices) => {
      if (!isPrim(node, 'reduce') || !group.interior.has(node)) return null;
      const result = results.get(node);
      if (result === undefined || rowKeyOf(node, indices) !== rowKey) {
        throw new FusionMismatch(node, 'a reduction is used at another row than the kernel has');
      }
      return { kind: 'result', dtype: result.dtype, of: result };
    }),
  );
  const body: Stmt[] = [];
  let number = 0;
  for (const level of reduceLevels(group)) {
    const column: IndexVar = { name: `r${body.length}`, extent: columns };
    const indices = domainIndices(domain, linVar(row), linVar(column));
    const terms = level.map((node) => {
      const value = evaluator.at(node.inputs[0]!, indices);
      return {
        fn: node.attrs.fn,
        value,
        result: { name: `${node.attrs.fn}${number++}`, dtype: wideDType(node.dtype) },
      };
    });
    level.forEach((node, i) => {
      results.set(node, terms[i]!.result);
    });
    body.push({ kind: 'reduce', vars: [column], terms } satisfies ReduceStmt);
  }
  const stores: StoreStmt[] = [];
  // Packed outputs are all alike, and their rows whole words.
  const per = packingOf(group.outputs[0]!.dtype);
  const column: IndexVar = { name: 'c', extent: columns / per };
  const loopStores: StoreStmt[] = [];
  for (const output of group.outputs) {
    const { dtype } = output;
    if (isPacked(dtype)) {
      const at = (element: Lin): Lin[] => domainIndices(domain, linVar(row), element);
      loopStores.push(storeWord(output, dtype, linVar(column), evaluator, binder, at));
    } else if (levelOf(output, domain) === 'row') {
      stores.push(storeOf(output, rowOutputIndices(output, domain, linVar(row)), evaluator, binder));
    } else {
      const at = domainIndices(domain, linVar(row), linVar(column));
      const indices = sameShape(output.shape, domain.shape) ? at : unflatten(flatten(at, domain.shape), output.shape);
      loopStores.push(storeOf(output, indices, evaluator, binder));
    }
  }
  // In place, a full output may overwrite what a row's store still reads; row stores therefore stand first.
  body.push(...stores);
  if (loopStores.length > 0) body.push({ kind: 'loop', vars: [column], body: loopStores } satisfies LoopStmt);
  return { parallel: [row], body };
}

/** Indices of an output stored once a row: its shape is the domain's with reduced axes of size 1, or a reshape of that. */
function rowOutputIndices(output: Node, domain: RowDomain, row: Lin): Lin[] {
  const kept = domain.shape.map((d, i) => (domain.axes.includes(i) ? 1 : d));
  return sameShape(output.shape, kept) ? domainIndices(domain, row, ZERO) : unflatten(row, output.shape);
}

/** The reductions of a group in dependency order, in levels that share one pass over the row. */
function reduceLevels(group: Group): Node<'reduce'>[][] {
  const depth = new Map<Node, number>();
  const levels: Node<'reduce'>[][] = [];
  for (const node of [...group.interior].sort((a, b) => a.id - b.id)) visit(node);
  return levels;

  function visit(start: Node): void {
    const stack = [start];
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      const waiting = depth.has(node) ? [] : node.inputs.filter((i) => group.interior.has(i) && !depth.has(i));
      if (waiting.length > 0) {
        stack.push(...waiting);
        continue;
      }
      stack.pop();
      if (depth.has(node)) continue;
      let level = 0;
      for (const i of node.inputs) if (group.interior.has(i)) level = Math.max(level, depth.get(i)!);
      if (isPrim(node, 'reduce')) {
        (levels[level] ??= []).push(node);
        level++;
      }
      depth.set(node, level);
    }
  }
}

function lowerContraction(group: Group, binder: Binder): ContractionKernel {
  const anchor = group.anchor!;
  const dtype = wideDType(anchor.dtype);
  const acc: Result = { name: 'acc', dtype };
  let accKey: string | null = null;
  const evaluator = new Evaluator(
    sourcesOf(group, binder, (node, indices): Expr | null => {
      if (node !== anchor) return null;
      if (accKey === null || flatten(indices, anchor.shape).key !== accKey) {
        throw new FusionMismatch(node, 'a contraction is used at another point than the kernel has');
      }
      return { kind: 'result', dtype: acc.dtype, of: acc };
    }),
  );
  const dims = operands(anchor, evaluator);
  const at = flatten(dims.output, anchor.shape);
  accKey = at.key;
  const epilogue = group.outputs.map((o) => {
    const indices = sameShape(o.shape, anchor.shape) ? dims.output : unflatten(at, o.shape);
    return storeOf(o, indices, evaluator, binder);
  });
  return {
    kind: 'contraction',
    name: nameOf(group),
    buffers: binder.buffers(),
    params: binder.params.map((p) => wideDType(p.dtype)),
    flops: flopsOf(group),
    batch: dims.batch,
    m: dims.m,
    n: dims.n,
    k: dims.k,
    dtype,
    a: dims.a,
    b: dims.b,
    acc,
    epilogue,
  };
}
