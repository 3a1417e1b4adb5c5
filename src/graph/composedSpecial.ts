import { binary, unary, where } from './elementwise.js';
import type { Node } from './node.js';
import { full } from './sources.js';

/** The derivative of digamma: six steps up, then an asymptotic series; up to 0 ψ'(x) = (π / sin πx)² - ψ'(1 - x). f32. */
export function trigammaNode(x: Node): Node {
  const number = (value: number): Node => full(x.shape, value, 'f32');
  const add = (a: Node, b: Node): Node => binary('add', a, b);
  const mul = (a: Node, b: Node): Node => binary('mul', a, b);
  const square = (a: Node): Node => mul(a, a);
  const below = binary('lt', x, number(0));
  const start = where(below, binary('sub', number(1), x), x);
  const y = add(start, number(6));
  const inverse = unary('reciprocal', y);
  const z = square(inverse);
  // 1/y + 1/2y² + 1/6y³ - 1/30y⁵ + 1/42y⁷
  const tail = [1 / 42, -1 / 30, 1 / 6].reduce((sum, c) => add(mul(sum, z), number(c)), number(-1 / 30));
  let above = add(add(inverse, mul(z, number(0.5))), mul(mul(inverse, z), tail));
  for (let i = 5; i >= 0; i--) above = add(above, square(unary('reciprocal', add(start, number(i)))));
  const rest = binary('sub', x, unary('round', x));
  const sine = unary('sin', mul(where(below, rest, number(0.5)), number(Math.PI)));
  return where(below, binary('sub', square(binary('div', number(Math.PI), sine)), above), above);
}
