import { isPrim, type Node } from './node.js';

/** The number that every element of a node has, where that shows in the graph (a const behind movement); null otherwise. */
export function constantValue(node: Node): number | null {
  let at = node;
  while (at.realized === null) {
    if (isPrim(at, 'const')) return at.attrs.value;
    switch (at.prim) {
      case 'expand':
      case 'reshape':
      case 'permute':
      case 'slice':
      case 'flip':
        at = at.inputs[0]!;
        break;
      default:
        return null;
    }
  }
  return null;
}

/** Whether two numbers are the same value of a tensor: NaN equals NaN, and 0 differs from -0. */
export const sameNumber = (a: number, b: number): boolean => Object.is(a, b);
