// What the layers above need and users do not see.
import type { Node } from '../graph/index.js';
import { Tensor } from './tensor.js';

export { takeBackwardRoots } from './backwardRoots.js';
export { created } from './creation.js';
export { ownerOf, rebind } from './handle.js';
export { nodeOf } from './operands.js';
export { mapTensors, tensorsOf, tensorsWithin } from './structure.js';
export { activeTrace, tracedScalars } from './trace.js';

/** A tensor of a node. */
export const fromNode = (node: Node): Tensor => new Tensor(node);
