import { isPrim, type LeafSource, type Node, type ScalarSource, topologicalOrder } from './node.js';
import { showShape } from './shape.js';

const showNumber = (v: number): string => (Object.is(v, -0) ? '-0' : String(v));

function showAttr(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(showAttr).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return (value as { name?: string }).name ?? '{}';
  return typeof value === 'number' ? showNumber(value) : String(value);
}

/**
 * One line a node, inputs before users, renumbered from %0: `%2: f32[2, 3] = add %0, %1`. Leaves and scalars are numbered by first
 * appearance, so equal graphs print equally.
 */
export function printGraph(roots: readonly Node[]): string {
  const order = topologicalOrder(roots, (n) => n.realized !== null);
  const names = new Map<Node, string>(order.map((node, i) => [node, `%${i}`]));
  const sources = new Map<LeafSource | ScalarSource, number>();
  const sourceNumber = (source: LeafSource | ScalarSource): number => {
    const known = sources.get(source) ?? sources.size;
    sources.set(source, known);
    return known;
  };

  const describe = (node: Node): string => {
    if (node.realized !== null) return `realized #${sourceNumber(node.realized)}`;
    if (isPrim(node, 'leaf') || isPrim(node, 'scalar')) return `${node.prim} #${sourceNumber(node.attrs.source)}`;
    if (isPrim(node, 'const')) return `const ${showNumber(node.attrs.value)}`;
    const { fn, ...rest } = node.attrs as { fn?: string };
    const attrs = Object.entries(rest).map(([key, value]) => ` ${key}=${showAttr(value)}`);
    const op = node.prim === 'reduce' ? `reduce.${fn}` : (fn ?? node.prim);
    const inputs = node.inputs.map((input) => names.get(input)!).join(', ');
    return `${op}${inputs === '' ? '' : ` ${inputs}`}${attrs.join('')}`;
  };

  const lines = order.map((node) => `${names.get(node)}: ${node.dtype}${showShape(node.shape)} = ${describe(node)}`);
  lines.push(`return ${roots.map((root) => names.get(root)!).join(', ')}`);
  return lines.join('\n');
}
