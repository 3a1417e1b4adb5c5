import {
  ArgumentError,
  binary,
  broadcastScalar,
  cast,
  constant,
  full,
  type Node,
  randomBits,
  reshape,
  type ScalarSource,
  type Shape,
  scalarNode,
  slice,
  unary,
} from '../graph/index.js';
import { activeTrace } from './trace.js';

/**
 * The default generator is counter-based: every draw is threefry2x32 with the key (seed, number of the draw) at the element's index.
 * Both halves of the key are runtime scalars, so that a training step draws anew without a new plan.
 */
let seedNode: Node | null = null;
let draws = 0;

function seedScalar(seed: number): Node {
  // Seeds beyond 32 bits fold their upper half in, by an odd multiplier so that it is not lost.
  const high = Math.floor(seed / 2 ** 32);
  return scalarNode({ dtype: 'u32', value: ((seed >>> 0) ^ Math.imul(high, 0x9e3779b9)) >>> 0 });
}

/**
 * Starts the generator over: what follows draws the same numbers after the same seed, on one engine and adapter.
 * Throws ArgumentError unless the seed is an integer of 0 to 2^53 - 1.
 */
export function manualSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`[manualSeed] seed is ${String(seed)} (expected an integer of 0 to 2^53 - 1)`);
  }
  seedNode = seedScalar(seed);
  draws = 0;
}

function nextKey(): [seed: Node, draw: number] {
  seedNode ??= seedScalar(Math.floor(Math.random() * 2 ** 32));
  draws = (draws + 1) >>> 0;
  return [seedNode, draws];
}

/** u32 bits of the next draw; in a compiled function, of another draw at every call. */
export function bitsNode(shape: Shape): Node {
  const trace = activeTrace();
  if (trace === null) {
    const [seed, draw] = nextKey();
    return randomBits(seed, scalarNode({ dtype: 'u32', value: draw }), shape);
  }
  // Every call draws anew, and the first one draws what it would outside of a compiled function.
  const keys: ScalarSource[] = [
    { dtype: 'u32', value: 0 },
    { dtype: 'u32', value: 0 },
  ];
  trace.beforeRun.push(() => {
    hostSeed().forEach((word, i) => {
      keys[i]!.value = word;
    });
  });
  return randomBits(scalarNode(keys[0]!), scalarNode(keys[1]!), shape);
}

/** Seed of the next draw for work on the host: two u32 words. */
export function hostSeed(): [number, number] {
  const [seed, draw] = nextKey();
  return [(seed as Node<'scalar'>).attrs.source.value, draw];
}

/** 24 bits as f32: multiples of 2^-24 from 0 to 1 - 2^-24. */
function unitInterval(bits: Node): Node {
  const high = cast(binary('shiftRight', bits, full(bits.shape, 8, 'u32')), 'f32');
  return binary('mul', high, full(bits.shape, 2 ** -24, 'f32'));
}

/** f32, uniform over [0, 1). */
export const uniformNode = (shape: Shape): Node => unitInterval(bitsNode(shape));

/** f32, normal of mean 0 and variance 1, by Box and Muller's transform: two words an element. */
export function normalNode(shape: Shape): Node {
  const bits = bitsNode([2, ...shape]);
  const half = (i: number) => unitInterval(reshape(slice(bits, [i, ...shape.map(() => 0)], [1, ...shape]), shape));
  const constantOf = (value: number) => broadcastScalar(constant(value, 'f32'), shape);
  // 1 - u is never 0, so that its logarithm is finite.
  const radius = unary('sqrt', binary('mul', unary('log', binary('sub', constantOf(1), half(0))), constantOf(-2)));
  return binary('mul', radius, unary('cos', binary('mul', half(1), constantOf(2 * Math.PI))));
}

/** i32, uniform over low..high-1: the remainder of 32 bits, whose bias is below (high - low) / 2^32. */
export function integersNode(low: number, high: number, shape: Shape): Node {
  const span = high - low;
  const bits = bitsNode(shape);
  const reduced = span === 2 ** 32 ? bits : binary('remainder', bits, full(shape, span, 'u32'));
  return binary('add', cast(reduced, 'i32'), full(shape, low, 'i32'));
}
