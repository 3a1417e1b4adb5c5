// What the layers above need and users do not see.
import type { Node } from '../graph/index.js';
import { Tensor } from './tensor.js';

export { takeBackwardRoots } from './backwardRoots.js';
export { created } from './creation.js';
export { bitsNode, hostSeed } from './generator.js';
export { ownerOf, rebind } from './handle.js';
export { nodeOf } from './operands.js';
export { mapTensors, tensorsOf, tensorsWithin } from './structure.js';
export { activeTrace, tracedScalars } from './trace.js';
export { insideTransform } from './tracing.js';

/** A tensor of a node. */
export const fromNode = (node: Node): Tensor => new Tensor(node);
