import { realize as realizeNodes } from '../compile/index.js';
import { type TensorStructure, tensorsOf } from './structure.js';

/**
 * Computes tensors now and together, in one plan: what they share is computed once. Takes tensors, or arrays and objects of them. The values
 * may be used at once; awaiting waits until the engine is done, and rejects with what went wrong there.
 */
export function realize(...tensors: TensorStructure[]): Promise<void> {
  return realizeNodes(tensorsOf('realize', tensors).map((x) => x.node));
}
