import { isRoutine } from '../../../kernels/routines/operands.js';
import { type BinaryFn, isPrim, type Node, type Prim, sizeOf, type UnaryFn } from '../../graph/index.js';

const CHEAP_UNARY: ReadonlySet<UnaryFn> = new Set([
  'neg',
  'abs',
  'sign',
  'floor',
  'ceil',
  'round',
  'trunc',
  'isnan',
  'isinf',
  'isfinite',
  'logicalNot',
  'bitwiseNot',
] as const);

const HEAVY_BINARY: ReadonlySet<BinaryFn> = new Set(['div', 'floorDiv', 'remainder', 'fmod', 'pow', 'atan2'] as const);

/** Movement of one input: it only changes indices. */
const MOVEMENT: ReadonlySet<Prim> = new Set<Prim>([
  'reshape',
  'permute',
  'expand',
  'slice',
  'pad',
  'flip',
  'window',
  'alias',
  'stopGradient',
  'custom',
  'barrier',
]);

/** Movement after which one element is read at several places or under a condition. */
const REINDEXING: ReadonlySet<Prim> = new Set<Prim>(['slice', 'pad', 'flip', 'window', 'concat', 'gather']);

const SOURCES: ReadonlySet<Prim> = new Set<Prim>(['leaf', 'const', 'scalar', 'iota']);

export const isMovement = (node: Node): boolean => MOVEMENT.has(node.prim);
export const isReindexing = (node: Node): boolean => REINDEXING.has(node.prim);
/** Read, never computed: leaves and realised nodes by a load, the others by an expression. */
export const isSource = (node: Node): boolean => node.realized !== null || SOURCES.has(node.prim);
export const isStoredSource = (node: Node): boolean => node.realized !== null || node.prim === 'leaf';
export const isContraction = (node: Node): node is Node<'dot' | 'conv'> => node.prim === 'dot' || node.prim === 'conv';

/** Rough number of instructions to compute one element from its inputs. */
export function operationCost(node: Node): number {
  if (isMovement(node) || isSource(node)) return 0;
  if (isPrim(node, 'unary')) return CHEAP_UNARY.has(node.attrs.fn) ? 1 : 10;
  if (isPrim(node, 'binary')) return HEAVY_BINARY.has(node.attrs.fn) ? 5 : 1;
  if (isPrim(node, 'randomBits')) return 80;
  return 1;
}

export const isHeavy = (node: Node): boolean => operationCost(node) >= 5;

/** Where the data of a chain of views lies: at its beginning, or at a view that is stored itself. */
export function baseOf(node: Node, stored: (node: Node) => boolean = () => false): Node {
  let at = node;
  while (at.realized === null && isMovement(at) && !stored(at)) at = at.inputs[0]!;
  return at;
}

/** The inputs whose values a node is computed from. */
export const dataInputs = (node: Node): readonly Node[] =>
  node.prim === 'barrier' ? node.inputs.slice(0, 1) : node.inputs;

export interface RepeatCost {
  readonly operations: number;
  /** Tensors read that are about as large as the node. */
  readonly reads: number;
  /** Whether everything read is in memory whatever the schedule. */
  readonly fromMemory: boolean;
}

/** What computing a node once more, from what is in memory, would take; stops counting early. */
export function repeatCost(node: Node, stored: (node: Node) => boolean): RepeatCost {
  const seen = new Set<Node>();
  const stack: Node[] = [node];
  let operations = 0;
  let fromMemory = true;
  const reads = new Set<Node>();
  while (stack.length > 0 && seen.size < 24) {
    const at = stack.pop()!;
    if (seen.has(at)) continue;
    seen.add(at);
    if (at !== node && (isStoredSource(at) || stored(at) || isRoutine(at))) {
      if (sizeOf(at.shape) * 2 > sizeOf(node.shape)) reads.add(at);
    } else if (at.prim === 'reduce' || isContraction(at)) {
      fromMemory = false;
    } else {
      operations += operationCost(at);
      stack.push(...dataInputs(at));
    }
  }
  return { operations: stack.length > 0 ? Number.POSITIVE_INFINITY : operations, reads: reads.size, fromMemory };
}
