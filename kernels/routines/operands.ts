import { constantValue, isPrim, type Node, sameShape } from '../../src/graph/index.js';

/** Primitives that are a kernel of their own, between stored values. */
export type RoutinePrim = 'routine' | 'scatter' | 'cumulative' | 'argsort';

export const isRoutine = (node: Node): node is Node<RoutinePrim> =>
  isPrim(node, 'routine') || isPrim(node, 'scatter') || isPrim(node, 'cumulative') || isPrim(node, 'argsort');

/** What stands for an operand of a routine. */
export interface OperandSource {
  /** What has to be in memory; null where the operand is one number. */
  readonly base: Node | null;
  readonly constant: number;
  /** The views between, which nothing has to compute. */
  readonly views: readonly Node[];
  /** For the index of a scatter: whether the base has one element for all heads, and for all columns. */
  readonly sharedHeads: boolean;
  readonly sharedColumns: boolean;
}

/**
 * Looks through views that leave elements in their order, for scatters also through constants that are spread and indices that are
 * expanded off their axis.
 *
 * @param stored whether a view is in memory itself
 */
export function operandSource(user: Node, at: number, stored: (node: Node) => boolean): OperandSource {
  const operand = user.inputs[at]!;
  const source = { constant: 0, sharedHeads: false, sharedColumns: false };
  const constant = isPrim(user, 'scatter') && at !== 1 ? constantValue(operand) : null;
  if (constant !== null) return { ...source, base: null, constant, views: viewsBelow(operand) };
  const views: Node[] = [];
  let base = operand;
  while (base.realized === null && !stored(base)) {
    const expansion = isPrim(user, 'scatter') && at === 1 ? sharing(base, user) : null;
    if (expansion) Object.assign(source, expansion);
    else if (!['reshape', 'alias', 'stopGradient', 'custom'].includes(base.prim)) break;
    const next = base.inputs[0]!;
    // What is in no memory at all is stored by the view of it.
    if (next.realized === null && next.prim !== 'leaf' && next.inputs.length === 0) break;
    views.push(base);
    base = next;
  }
  return { ...source, base, views };
}

function viewsBelow(node: Node): Node[] {
  const views: Node[] = [];
  for (let at = node; at.inputs.length > 0; at = at.inputs[0]!) views.push(at);
  return views;
}

/** Which parts of an index are one element each before an expansion. */
function sharing(node: Node, { inputs: [, index], attrs: { axis } }: Node<'scatter'>) {
  if (!isPrim(node, 'expand') || !sameShape(node.shape, index!.shape)) return null;
  const from = node.inputs[0]!.shape;
  const part = (axes: readonly number[]): boolean | null => {
    if (axes.every((a) => from[a] === node.shape[a])) return false;
    return axes.every((a) => from[a] === 1) ? true : null;
  };
  const axes = [...node.shape.keys()];
  const [sharedHeads, sharedColumns] = [part(axes.slice(0, axis)), part(axes.slice(axis + 1))];
  const whole = from[axis] === node.shape[axis];
  return whole && sharedHeads !== null && sharedColumns !== null ? { sharedHeads, sharedColumns } : null;
}
