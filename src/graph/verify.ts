import { isFloat, roundToDType } from './dtype.js';
import { InternalError, TillerError } from './errors.js';
import { isPrim, type Node, type Prim, topologicalOrder, withoutGrad } from './node.js';
import { rebuild } from './rebuild.js';
import { checkShape, sameShape, showShape } from './shape.js';

const INPUT_COUNT: Record<Prim, number | 'some'> = {
  leaf: 0,
  const: 0,
  scalar: 0,
  iota: 0,
  randomBits: 2,
  unary: 1,
  binary: 2,
  where: 3,
  cast: 1,
  reshape: 1,
  permute: 1,
  expand: 1,
  slice: 1,
  pad: 1,
  flip: 1,
  concat: 'some',
  window: 1,
  reduce: 1,
  dot: 2,
  conv: 2,
  gather: 2,
  scatter: 3,
  cumulative: 1,
  argsort: 1,
  routine: 'some',
  alias: 1,
  stopGradient: 1,
  custom: 'some',
  barrier: 2,
};

function checkNode(node: Node): void {
  const fail = (what: string): never => {
    throw new InternalError(`[verifyGraph] ${node.prim} node ${node.id}: ${what}`);
  };
  checkShape('verifyGraph', node.shape);
  if (node.requiresGrad && !isFloat(node.dtype)) fail(`${node.dtype} requires grad (expected a float)`);
  if (node.realized !== null) {
    if (!sameShape(node.realized.shape, node.shape) || node.realized.dtype !== node.dtype) {
      fail(
        `realised as ${node.realized.dtype}${showShape(node.realized.shape)}, is ${node.dtype}${showShape(node.shape)}`,
      );
    }
    return;
  }
  const count = INPUT_COUNT[node.prim];
  if (count === 'some' ? node.inputs.length === 0 : node.inputs.length !== count) {
    fail(`${node.inputs.length} inputs (expected ${count})`);
  }
  if (isPrim(node, 'const') && !Object.is(roundToDType(node.attrs.value, node.dtype), node.attrs.value)) {
    fail(`${node.attrs.value} is no value of ${node.dtype}`);
  }
  const expected = withoutGrad(() => rebuild(node, node.inputs));
  if (!sameShape(expected.shape, node.shape) || expected.dtype !== node.dtype) {
    fail(`is ${node.dtype}${showShape(node.shape)} (its rule gives ${expected.dtype}${showShape(expected.shape)})`);
  }
}

/**
 * Checks every node reachable from `roots` against the rule of its primitive: number of inputs, shape, dtype, constants in their
 * dtype's range. Realised nodes are not entered. Throws InternalError.
 */
export function verifyGraph(roots: readonly Node[]): void {
  for (const node of topologicalOrder(roots, (n) => n.realized !== null)) {
    try {
      checkNode(node);
    } catch (error) {
      if (error instanceof InternalError || !(error instanceof TillerError)) throw error;
      throw new InternalError(`[verifyGraph] ${node.prim} node ${node.id}: ${error.message}`, { cause: error });
    }
  }
}
