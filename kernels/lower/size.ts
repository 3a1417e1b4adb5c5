import type { Expr, Index, Kernel, Stmt } from '../ir.js';

/** Expressions of a kernel's statements, indices included; each object once. Stops counting beyond `limit`. Iterative: they may be deep. */
export function sizeOfKernel(kernel: Kernel, limit: number): number {
  if (kernel.kind !== 'loop') return 0;
  const seen = new Set<Expr | Index>();
  const stack: (Expr | Index)[] = [];
  const enter = (stmt: Stmt): void => {
    if (stmt.kind === 'store') stack.push(stmt.value, stmt.index);
    else if (stmt.kind === 'reduce') for (const { value } of stmt.terms) stack.push(value);
    else for (const store of stmt.body) enter(store);
  };
  for (const { body } of kernel.segments) body.forEach(enter);
  while (stack.length > 0 && seen.size <= limit) {
    const at = stack.pop()!;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const field of Object.values(at) as unknown[]) {
      if (Array.isArray(field)) for (const cond of field as { a: Index; b: Index }[]) stack.push(cond.a, cond.b);
      else if (isPart(field)) stack.push(field);
    }
  }
  return seen.size;
}

/** Whether a field is an expression or index, and no variable or result. */
const isPart = (field: unknown): field is Expr | Index =>
  typeof field === 'object' && field !== null && 'kind' in field;
