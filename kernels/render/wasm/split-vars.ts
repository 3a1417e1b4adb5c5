import type { Index, IndexVar } from '../../ir.js';
import { type Affine, type Atom, affine } from '../affine.js';
import { joinLoops, type Nest } from '../nest.js';
import { indexVar, plus, times, variable } from './indexTerms.js';
import { Rewriter } from './rewrite.js';

/** Loops that a variable is split into, at most. */
const MAX_LOOPS = 5;

/** The div and mod below a form. */
function divisions(form: Affine): (Atom & { kind: 'div' | 'mod' })[] {
  return form.terms.flatMap(({ atom }) =>
    atom.kind === 'div' || atom.kind === 'mod' ? [atom, ...divisions(atom.a)] : [],
  );
}

const isVar = ({ terms, constant }: Affine, v: IndexVar): boolean =>
  constant === 0 &&
  terms.length === 1 &&
  terms[0]!.coefficient === 1 &&
  terms[0]!.atom.kind === 'var' &&
  terms[0]!.atom.v === v;

/**
 * Splits variables that are divided (v / d, v % d, as views write them) into two loops, until nothing is divided any more, then joins
 * what needs no division after all: nested loops walk through memory in straight lines.
 */
export function splitLoops(vars: readonly IndexVar[], indices: readonly Index[]): Nest {
  let loops = [...vars];
  let known = new Map<IndexVar, Index>();
  for (let i = 0; i < loops.length && loops.length < vars.length + MAX_LOOPS; ) {
    const v = loops[i]!;
    const substitution = (other: IndexVar) => known.get(other);
    const divisors = indices
      .flatMap((index) => divisions(affine(index, substitution)))
      .filter(({ a, b }) => isVar(a, v) && b > 1 && v.extent % b === 0 && b < v.extent)
      .map(({ b }) => b);
    if (divisors.length === 0) {
      i++;
      continue;
    }
    const size = Math.min(...divisors);
    const outer = indexVar(`${v.name}o`, v.extent / size);
    const inner = indexVar(`${v.name}i`, size);
    known = new Map([...known, [v, plus(times(variable(outer), size), variable(inner))]]);
    loops = [...loops.slice(0, i), outer, inner, ...loops.slice(i + 1)];
  }
  const rewriter = new Rewriter((expr) => expr, known);
  const inLoops = indices.map((index) => rewriter.index(index));
  const joined = joinLoops(loops, inLoops);
  return { loops: joined.loops, indices: new Map([...known, ...joined.indices]) };
}
