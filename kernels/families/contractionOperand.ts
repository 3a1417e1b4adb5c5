import type { ContractionKernel, IndexVar, Result } from '../ir.js';
import type { WgslScope, WgslValue } from '../render/wgsl-writer.js';
import type { LoadWidth } from './contractionSchedule.js';
import { KIndexWriter } from './indexOfK.js';
import { type SplitOperand, splitByK } from './splitByK.js';

/** A row of an operand (or four neighbouring ones) where it has become known, usually before the loop over k. */
export interface OperandRow {
  readonly scope: WgslScope;
}

/** A step of k where it has become known: what k alone decides is computed once for all rows. */
export interface OperandStep {
  readonly vars: ReadonlyMap<IndexVar, string>;
  readonly results: ReadonlyMap<Result, WgslValue>;
  readonly lines: readonly string[];
  readonly wide: boolean;
}

/** Reads one operand of a contraction, as scalars or vec4s, at rows and steps of k that the schedule chooses. */
export class Operand {
  private readonly split: SplitOperand;
  private readonly expr;
  readonly row: IndexVar;

  constructor(
    private readonly kernel: ContractionKernel,
    readonly name: 'a' | 'b',
    private readonly root: WgslScope,
    readonly load: LoadWidth,
  ) {
    this.row = name === 'a' ? kernel.m : kernel.n;
    this.expr = kernel[name];
    this.split = splitByK(this.expr, this.row, kernel.k);
  }

  /** The row at `code`; with `wide`, the four rows from there. */
  rowAt(code: string, wide = false, parent: WgslScope = this.root): OperandRow {
    const vars = new Map([[this.row, code]]);
    return { scope: parent.child(wide ? { vars, vector: this.row } : { vars }) };
  }

  /** Lines that compute what does not depend on k; complete once everything is read. */
  linesOf(row: OperandRow): readonly string[] {
    return row.scope.lines;
  }

  /** The step of k at `code`; with `wide`, the four steps from there. `prefix` makes its names unique. */
  stepAt(code: string, prefix: string, wide = false): OperandStep {
    const { k } = this.kernel;
    const vars = new Map([[k, code]]);
    if (wide) return { vars, results: new Map(), lines: [], wide };
    const scope = this.root.child({ vars });
    const writer = new KIndexWriter(k, code, prefix, (index) => scope.index(index));
    const results = new Map(this.split.kValues.map(({ result, expr }) => [result, scope.value(expr)] as const));
    for (const { v, index } of this.split.kIndices) vars.set(v, writer.write(index));
    return { vars, results, lines: [...scope.lines, ...writer.lines], wide };
  }

  /** Appends the lines that read the operand at (row, step) to `lines`; gives the value, not yet bound to a name. */
  read(row: OperandRow, step: OperandStep, lines: string[]): WgslValue {
    const { k } = this.kernel;
    const scope = row.scope.child(
      step.wide ? { vars: step.vars, vector: k } : { vars: step.vars, results: step.results },
    );
    const value = scope.value(step.wide ? this.expr : this.split.expr);
    lines.push(...scope.lines);
    return value;
  }
}

/** Component `at` of a value whose vec4s hold neighbours; a value that is the same for all neighbours has one component. */
export const component = (name: string, value: WgslValue, at: number): string =>
  value.width === 4 ? `${name}.${'xyzw'[at]}` : name;
