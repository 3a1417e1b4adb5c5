import type { EngineName } from '../engine/engine.js';
import { leaf, type Node } from '../graph/index.js';
import { defaultRuntime, runtimeNamed } from './engines.js';
import { quiet, readNode, realize, storageOf } from './realize.js';
import { Storage } from './storage.js';

/** A node with the same values on another engine, which gets them through the host once they are computed; the node itself where it is there. */
export function moveNode(node: Node, engine: EngineName): Node {
  if (storageOf(node) === null) realize([node]);
  const from = storageOf(node)!;
  from.checkUsable('to');
  const target = runtimeNamed(engine);
  const source = from.device.runtime ?? defaultRuntime();
  if (source === target) return node;
  const to = new Storage(from.shape, from.dtype, null);
  to.pinned = true;
  to.device.runtime = target;
  target.receive(to, quiet(readNode(node)));
  return leaf(to);
}
