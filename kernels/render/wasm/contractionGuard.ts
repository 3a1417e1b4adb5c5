import type { Cond, Expr, IndexVar } from '../../ir.js';
import { affine, type Substitution } from '../affine.js';
import { partsInOrder } from '../uses.js';
import { dependsOn, stepOf } from './contractionOperands.js';
import { type Operation, op, type Value } from './encoder.js';
import { constant } from './indexTerms.js';
import { Rewriter } from './rewrite.js';
import type { WasmScope } from './scope.js';

/**
 * An expression with padding around it, at places along a variable: `edges` holds where the `everywhere` conditions do; from `from` to
 * `to`, so does `inside`, which checks nothing. Where they do not hold, all is `fill`.
 */
export interface GuardedRow {
  readonly everywhere: readonly Cond[];
  readonly edges: Expr;
  readonly inside: Expr;
  readonly fill: Expr;
  readonly from: number;
  readonly to: number;
}

/** The conditions of an expression sorted by whether they change along `v`; null where it has none, or others below. */
export function guardedRow(root: Expr, v: IndexVar, substitution: Substitution): GuardedRow | null {
  if (root.kind !== 'guard') return null;
  const conds: Cond[] = [];
  let value: Expr = root;
  while (value.kind === 'guard' && Object.is(value.otherwise, root.otherwise)) {
    conds.push(...value.conds);
    value = value.value;
  }
  // Only conditions that are taken care of here may keep indices in range.
  if (partsInOrder(value, () => false).some(({ kind }) => kind === 'guard' || kind === 'choose')) return null;
  const everywhere: Cond[] = [];
  const moving: Cond[] = [];
  let [from, to] = [0, v.extent];
  for (const cond of conds) {
    const [a, b] = [affine(cond.a, substitution), affine(cond.b, substitution)];
    if (!dependsOn(a, v, substitution) && !dependsOn(b, v, substitution)) {
      everywhere.push(cond);
      continue;
    }
    moving.push(cond);
    const step = stepOf(a, v, substitution);
    const limit = b.terms.length === 0 ? b.constant : null;
    if (cond.kind === 'lt' && step !== null && step > 0 && limit !== null) {
      const { min, max } = affine(cond.a, (other) => (other === v ? constant(0) : substitution(other)));
      from = Math.max(from, Math.ceil(-min / step));
      to = Math.min(to, Math.floor((limit - 1 - max) / step) + 1);
    } else {
      to = 0;
    }
  }
  if (everywhere.length === 0 && to - from < 4) return null;
  const edges: Expr = moving.length === 0 ? value : { ...root, conds: moving, value };
  const fill: Expr = { kind: 'const', dtype: root.dtype, value: root.otherwise };
  return { everywhere, edges, inside: unclamped(value), fill, from, to: Math.max(from, to) };
}

/** The expression where its indices are known to be in range. */
const unclamped = (root: Expr): Expr =>
  new Rewriter((expr) => (expr.kind === 'load' ? { ...expr, clamp: false } : null)).expr(root);

/** What is stored for the vectors of `scopes`; the first of them starts at `first` where that is constant. */
type StoreVectors = (scopes: readonly WasmScope[], value: Expr, first: number | null) => void;

/** Runs `store` over a guarded row in vectors: the guards are only written where they may fail. */
export function forGuardedRow(row: GuardedRow, scope: WasmScope, v: IndexVar, store: StoreVectors): void {
  const whole = v.extent - (v.extent % 8);
  const single = (inside: WasmScope, first: number, value: Expr) => {
    const lanes = Math.min(4, v.extent - first);
    const at = inside.oneVector(v, first, lanes);
    store(at.steps(), value, first);
  };
  const { block } = scope;
  const some = (inside: WasmScope) => {
    // Pairs of vectors inside, single ones around them.
    const [begin, end] = [Math.ceil(row.from / 8) * 8, Math.min(Math.floor(row.to / 8) * 8, whole)];
    for (let first = 0; first < v.extent; first += 4) {
      if (first === begin && end > begin) {
        inside.vectorLoop(v, begin, end, 2, (_, steps) => store(steps, row.inside, null));
        first = end - 4;
      } else {
        single(inside, first, first >= row.from && first + 4 <= row.to ? row.inside : row.edges);
      }
    }
  };
  if (row.everywhere.length === 0) {
    some(scope);
    return;
  }
  const holds = row.everywhere
    .map(({ kind, a, b }): Value => {
      const name: Operation = kind === 'eq' ? 'i32.eq' : `i32.${kind}_u`;
      return op(name, scope.index(a), scope.index(b));
    })
    .reduce((all, one) => op('i32.and', all, one));
  block.if(
    holds,
    (inner) => some(scope.child({}, inner)),
    (inner) => {
      const outside = scope.child({}, inner);
      outside.vectorLoop(v, 0, whole, 2, (_, steps) => store(steps, row.fill, null));
      for (let first = whole; first < v.extent; first += 4) single(outside, first, row.fill);
    },
  );
}
