import { binary, unary } from '../graph/elementwise.js';
import type { Node } from '../graph/node.js';
import { full } from '../graph/sources.js';

/** Shorthands that the rules are written in. */
export const add = (a: Node, b: Node): Node => binary('add', a, b);
export const sub = (a: Node, b: Node): Node => binary('sub', a, b);
export const mul = (a: Node, b: Node): Node => binary('mul', a, b);
export const div = (a: Node, b: Node): Node => binary('div', a, b);
export const neg = (x: Node): Node => unary('neg', x);

/** A number in the shape and dtype of a node. */
export const like = (x: Node, value: number): Node => full(x.shape, value, x.dtype);
export const scale = (x: Node, factor: number): Node => mul(x, like(x, factor));
