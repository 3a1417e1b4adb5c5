import type { Index, IndexVar } from '../ir.js';
import { indexKey } from './affine.js';

/**
 * Writes indices that depend on k alone as WGSL. Divisions become multiplications: k is known to be small, and integer division
 * is emulated lane by lane on software adapters.
 */
export class KIndexWriter {
  /** `let` lines, in order. */
  readonly lines: string[] = [];
  private readonly names = new Map<string, { code: string; max: number }>();

  /** `code` is the value of `k`; names are `${prefix}0`, `${prefix}1`, … */
  constructor(
    private readonly k: IndexVar,
    private readonly code: string,
    private readonly prefix: string,
    /** Writes what this class does not know (computed indices). */
    private readonly fallback: (index: Index) => string,
  ) {}

  write(index: Index): string {
    return this.visit(index).code;
  }

  private visit(index: Index): { code: string; max: number } {
    if (index.kind === 'const') return { code: `${index.value}u`, max: index.value };
    if (index.kind === 'var') {
      if (index.v === this.k) return { code: this.code, max: this.k.extent - 1 };
      return index.v.extent <= 1 ? { code: '0u', max: 0 } : { code: this.fallback(index), max: UNKNOWN };
    }
    const key = indexKey(index);
    let out = this.names.get(key);
    if (out === undefined) {
      const { code, max } = this.compute(index);
      const name = `${this.prefix}${this.names.size}`;
      this.lines.push(`let ${name} = ${code};`);
      out = { code: name, max };
      this.names.set(key, out);
    }
    return out;
  }

  private compute(index: Exclude<Index, { kind: 'const' | 'var' }>): { code: string; max: number } {
    switch (index.kind) {
      case 'value':
        return { code: this.fallback(index), max: UNKNOWN };
      case 'add': {
        const [a, b] = [this.visit(index.a), this.visit(index.b)];
        return { code: `${a.code} + ${b.code}`, max: bounded(a.max + b.max) };
      }
      case 'sub':
        return { code: `${this.visit(index.a).code} - ${this.visit(index.b).code}`, max: UNKNOWN };
      case 'mul': {
        const a = this.visit(index.a);
        return { code: `${a.code} * ${index.b}u`, max: bounded(a.max * index.b) };
      }
      case 'div': {
        const a = this.visit(index.a);
        return { code: quotient(a.code, a.max, index.b), max: Math.floor(a.max / index.b) };
      }
      case 'mod': {
        const a = this.visit(index.a);
        if (a.max < index.b) return a;
        if (Number.isInteger(Math.log2(index.b))) return { code: `${a.code} & ${index.b - 1}u`, max: index.b - 1 };
        const q = this.visit({ kind: 'div', a: index.a, b: index.b });
        return { code: `${a.code} - ${q.code} * ${index.b}u`, max: index.b - 1 };
      }
    }
  }
}

const UNKNOWN = 2 ** 32 - 1;
const bounded = (max: number): number => Math.min(max, UNKNOWN);

/** `x / d` for 0 <= x <= max, by a multiplication and a shift wherever 32 bits suffice. */
export function quotient(x: string, max: number, d: number): string {
  const magic = reciprocalOf(max, d);
  if (magic === null) return `${x} / ${d}u`;
  return magic.multiplier === 1 ? `${x} >> ${magic.shift}u` : `(${x} * ${magic.multiplier}u) >> ${magic.shift}u`;
}

/** multiplier and shift with floor(x / d) = (x * multiplier) >> shift for all 0 <= x <= max, no product passing 32 bits; else null. */
export function reciprocalOf(max: number, d: number): { multiplier: number; shift: number } | null {
  for (let shift = 0; shift < 32; shift++) {
    const multiplier = Math.ceil(2 ** shift / d);
    // x * multiplier / 2^shift is x / d plus x * excess / (d * 2^shift); the latter must stay below 1 / d.
    const excess = multiplier * d - 2 ** shift;
    if (excess * max < 2 ** shift) return multiplier * max < 2 ** 32 ? { multiplier, shift } : null;
  }
  return null;
}
