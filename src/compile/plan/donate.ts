import type { Cond, Expr, Index, Kernel, Stmt, StoreStmt } from '../../../kernels/ir.js';

/** Identity of an index by structure. */
function indexKey(index: Index): string {
  switch (index.kind) {
    case 'const':
      return String(index.value);
    case 'var':
      return index.v.name;
    case 'add':
    case 'sub':
      return `(${indexKey(index.a)} ${index.kind} ${indexKey(index.b)})`;
    case 'mul':
    case 'div':
    case 'mod':
      return `(${indexKey(index.a)} ${index.kind} ${index.b})`;
    case 'value':
      return 'dynamic';
  }
}

/** Visits the loads of an expression, also those inside indices, each shared part once. */
function visitLoads(root: Expr, visit: (load: Expr & { kind: 'load' }) => void): void {
  const seen = new Set<Expr>();
  const stack: Expr[] = [root];
  const index = (i: Index): void => {
    if (i.kind === 'value') stack.push(i.expr);
    else if (i.kind === 'add' || i.kind === 'sub') {
      index(i.a);
      index(i.b);
    } else if (i.kind === 'mul' || i.kind === 'div' || i.kind === 'mod') index(i.a);
  };
  const conds = (list: readonly Cond[]): void => {
    for (const c of list) {
      index(c.a);
      index(c.b);
    }
  };
  while (stack.length > 0) {
    const e = stack.pop()!;
    if (seen.has(e)) continue;
    seen.add(e);
    switch (e.kind) {
      case 'load':
        visit(e);
        index(e.index);
        break;
      case 'index':
        index(e.index);
        break;
      case 'guard':
        conds(e.conds);
        stack.push(e.value);
        break;
      case 'choose':
        conds(e.conds);
        stack.push(e.a, e.b);
        break;
      case 'unary':
      case 'cast':
        stack.push(e.x);
        break;
      case 'binary':
        stack.push(e.a, e.b);
        break;
      case 'where':
        stack.push(e.cond, e.a, e.b);
        break;
      case 'threefry':
        stack.push(e.key0, e.key1);
        index(e.counter);
        break;
      case 'const':
      case 'param':
      case 'result':
        break;
    }
  }
}

/**
 * Whether the storage of buffer `input` may also be that of buffer `output` in this kernel: the output is stored at one
 * statement list, and every load of the input is there, at the index of the store (a point's values are all computed before the
 * first is stored). Loads in reductions that came before are fine too: every store follows them.
 */
export function canShareInPlace(kernel: Kernel, input: number, output: number): boolean {
  if (kernel.buffers[input]!.access !== 'read' || kernel.buffers[output]!.access !== 'write') return false;
  // A routine reads its operands again after it has begun to write.
  if (kernel.kind === 'routine') return false;
  if (kernel.kind === 'contraction') {
    let ok = true;
    for (const operand of [kernel.a, kernel.b]) visitLoads(operand, (l) => (ok &&= l.buffer !== input));
    return ok && sharesInStores(kernel.epilogue, input, output);
  }
  for (const segment of kernel.segments) {
    const reduceKeys = segment.body.flatMap((s) => (s.kind === 'reduce' ? loadKeysInReduce(s, input) : []));
    const inReduce = reduceKeys.length > 0;
    const groups: (readonly StoreStmt[])[] = [];
    const rowStores = segment.body.filter((s): s is StoreStmt => s.kind === 'store');
    if (rowStores.length > 0) groups.push(rowStores);
    for (const s of segment.body) if (s.kind === 'loop') groups.push(s.body);
    const writing = groups.filter((g) => g.some((s) => s.buffer === output));
    if (writing.length === 0) {
      if (inReduce || groups.some((g) => readsInStores(g, input))) return false;
      continue;
    }
    if (writing.length > 1) return false;
    if (groups.some((g) => g !== writing[0] && readsInStores(g, input))) return false;
    if (inReduce && writing[0] === rowStores) return false;
    if (!sharesInStores(writing[0]!, input, output)) return false;
    const key = indexKey(writing[0]!.find((s) => s.buffer === output)!.index);
    if (reduceKeys.some((k) => k !== key)) return false;
  }
  return true;
}

/** Indices at which a reduction loads a buffer, as if its variable were that of the loop which stores the row. */
function loadKeysInReduce(s: Stmt & { kind: 'reduce' }, input: number): string[] {
  const keys: string[] = [];
  for (const t of s.terms) {
    visitLoads(t.value, (l) => {
      if (l.buffer === input) keys.push(indexKey(l.index).replaceAll(new RegExp(`\\b${s.vars[0]!.name}\\b`, 'g'), 'c'));
    });
  }
  return keys;
}

function readsInStores(stores: readonly StoreStmt[], input: number): boolean {
  let found = false;
  for (const s of stores) visitLoads(s.value, (l) => (found ||= l.buffer === input));
  return found;
}

function sharesInStores(stores: readonly StoreStmt[], input: number, output: number): boolean {
  const store = stores.filter((s) => s.buffer === output);
  if (store.length !== 1) return false;
  const key = indexKey(store[0]!.index);
  let ok = true;
  for (const s of stores) {
    visitLoads(s.value, (l) => {
      if (l.buffer === input && indexKey(l.index) !== key) ok = false;
    });
  }
  return ok;
}
