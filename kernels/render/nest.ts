import type { Expr, Index, IndexVar } from '../ir.js';
import { type Affine, affine } from './affine.js';
import { childrenOf, indicesIn } from './uses.js';

/** Loops over the points of several variables: `loops` run, the others are computed from them. */
export interface Nest {
  readonly loops: readonly IndexVar[];
  readonly indices: ReadonlyMap<IndexVar, Index>;
}

export const pointsOf = (vars: readonly IndexVar[]): number =>
  vars.reduce((product, { extent }) => product * extent, 1);

/** One variable that counts the points of several in row-major order. */
export function flatten(vars: readonly IndexVar[], name: string): { flat: IndexVar; indices: Map<IndexVar, Index> } {
  const flat = { name, extent: pointsOf(vars) };
  const indices = new Map<IndexVar, Index>();
  let stride = 1;
  for (const v of [...vars].reverse()) {
    const quotient: Index = { kind: 'div', a: { kind: 'var', v: flat }, b: stride };
    indices.set(v, { kind: 'mod', a: quotient, b: Math.max(v.extent, 1) });
    stride *= Math.max(v.extent, 1);
  }
  return { flat, indices };
}

/** All indices below expressions. */
export function indicesBelow(roots: readonly Expr[]): Index[] {
  const found = new Set<Index>();
  const seen = new Set<Expr>();
  const stack = [...roots];
  while (stack.length > 0) {
    const expr = stack.pop()!;
    if (seen.has(expr)) continue;
    seen.add(expr);
    for (const index of indicesIn(expr)) found.add(index);
    stack.push(...childrenOf(expr));
  }
  return [...found];
}

/** True if the form divides something that moves with `v`. */
export const divides = (form: Affine, v: IndexVar, inside = false): boolean =>
  form.terms.some(({ atom }) =>
    atom.kind === 'var' ? inside && atom.v === v : atom.kind !== 'value' && divides(atom.a, v, true),
  );

/** Joins neighbouring loops wherever no index then needs a division: where memory is walked through without a jump. */
export function joinLoops(vars: readonly IndexVar[], indices: readonly Index[]): Nest {
  let loops = vars.filter(({ extent }) => extent !== 1);
  let known = new Map<IndexVar, Index>();
  for (let i = loops.length - 1; i > 0; i--) {
    const pair = [loops[i - 1]!, loops[i]!];
    const { flat, indices: ofPair } = flatten(pair, `${pair[0]!.name}_${pair[1]!.name}`);
    const joined = new Map([...known, ...ofPair]);
    const clean = indices.every(
      (index) =>
        !divides(
          affine(index, (v) => joined.get(v)),
          flat,
        ),
    );
    if (!clean) continue;
    known = joined;
    loops = [...loops.slice(0, i - 1), flat, ...loops.slice(i + 1)];
  }
  return { loops, indices: known };
}
