import {
  ArgumentError,
  permute,
  promote,
  reshape,
  type Shape,
  ShapeError,
  showShape,
  sizeOf,
  UnsupportedError,
} from '../graph/index.js';
import { diagonal } from './diagonals.js';
import { cast, mul } from './elementwise.js';
import { matmul } from './linalg.js';
import { checkInteger, isTensor, nodeOf, requireDType } from './operands.js';
import { sum } from './reductions.js';
import type { Tensor } from './tensor.js';

/** Axes of an operand by number, as NumPy's other way to write `einsum` has them. */
export type Sublist = readonly (number | '...')[];

/** A tensor whose axes have labels, each once. */
interface Term {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

const without = (labels: readonly string[], others: readonly string[]): string[] =>
  labels.filter((label) => !others.includes(label));
const shared = (labels: readonly string[], others: readonly string[]): string[] =>
  labels.filter((label) => others.includes(label));

/**
 * Sums of products of elements, by NumPy's notation: `einsum('ij,jk->ik', a, b)` is a matrix product, `einsum('bii->b', a)` a batch of
 * traces. A label twice in one operand is its diagonal, `...` stands for axes that broadcast, axes of length 1 broadcast, and without `->`
 * the labels that occur once are kept in alphabetical order. Also `einsum(a, [0, 1], b, [1, 2], [0, 2])`. Dtypes promote. Operands meet in
 * pairs, those first whose product is smallest.
 * Throws ArgumentError for what is no equation, ShapeError where it does not fit the operands, UnsupportedError for an output label twice.
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor;
export function einsum(equation: string, operands: readonly Tensor[]): Tensor;
export function einsum(...operandsAndAxes: (Tensor | Sublist)[]): Tensor;
export function einsum(...args: unknown[]): Tensor {
  const [equation, ...rest] = typeof args[0] === 'string' ? args : fromSublists(args);
  const operands = (rest.length === 1 && Array.isArray(rest[0]) ? rest[0] : rest) as readonly Tensor[];
  const [left, right, ...more] = (equation as string).replace(/\s+/g, '').split('->') as [string, string?, ...string[]];
  const inputs = left.split(',');
  if (more.length > 0 || [...inputs, right ?? ''].some((part) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(part))) {
    throw new ArgumentError(`[einsum] not an equation: '${equation}' (expected labels as in 'ij,jk->ik')`);
  }
  if (inputs.length !== operands.length) {
    throw new ArgumentError(`[einsum] ${operands.length} operands for '${equation}' (expected ${inputs.length})`);
  }
  const dtype = operands.map((x) => nodeOf('einsum', x).dtype).reduce(promote);
  requireDType('einsum', dtype, ['f32', 'i32', 'u32']);

  let dots = 0;
  const labelled = inputs.map((part, i) => {
    const { shape } = operands[i]!;
    const named = part.replace('...', '').length;
    const free = shape.length - named;
    if (free < 0 || (free > 0 && !part.includes('...'))) {
      throw new ShapeError(`[einsum] '${part}' has ${named} labels for ${showShape(shape)}`);
    }
    dots = Math.max(dots, free);
    return part
      .replace('...', '\n')
      .split('')
      .flatMap((label) => (label === '\n' ? dotLabels(free) : [label]));
  });
  const size = lengthsOf(labelled, operands);
  const all = labelled.flat();
  const output =
    right === undefined
      ? [...dotLabels(dots), ...[...new Set(all)].filter((l) => l.length === 1 && once(all, l)).sort()]
      : right
          .replace('...', '\n')
          .split('')
          .flatMap((label) => (label === '\n' ? dotLabels(dots) : [label]));
  if (new Set(output).size !== output.length) {
    throw new UnsupportedError(`[einsum] an output label twice: '${equation}' (see diagEmbed)`);
  }
  const stranger = output.find((label) => !all.includes(label));
  if (stranger !== undefined) throw new ArgumentError(`[einsum] no operand has the output label '${stranger}'`);

  let terms = labelled.map((labels, i) => simplified(cast(operands[i]!, dtype), labels, size));
  terms = terms.map((term, i) => {
    const elsewhere = [...output, ...terms.flatMap(({ labels }, k) => (k === i ? [] : labels))];
    return summed(term, without(term.labels, elsewhere));
  });
  while (terms.length > 1) {
    const [i, j] = cheapestPair(terms, output, size);
    const others = terms.filter((_, k) => k !== i && k !== j);
    const kept = [...output, ...others.flatMap(({ labels }) => labels)];
    terms = [joined(terms[i]!, terms[j]!, kept, size), ...others];
  }
  const [{ x, labels }] = terms as [Term];
  return x.derive(
    permute(
      x.node,
      output.map((label) => labels.indexOf(label)),
    ),
  );
}

/** Labels of `count` axes that an ellipsis stands for: they line up at the last one. */
const dotLabels = (count: number): string[] => Array.from({ length: count }, (_, i) => `...${count - 1 - i}`);

const once = (labels: readonly string[], label: string): boolean => labels.indexOf(label) === labels.lastIndexOf(label);

/** An equation from lists of axis numbers; the order of the letters is that of the numbers. */
function fromSublists(args: readonly unknown[]): unknown[] {
  const letters = (list: unknown): string => {
    if (!Array.isArray(list)) throw new ArgumentError('[einsum] an operand without a list of its axes');
    return list
      .map((n: number | '...') => {
        if (n === '...') return n;
        if (checkInteger('einsum', 'axis', n, 0) > 51)
          throw new ArgumentError(`[einsum] axis is ${n} (expected 0..51)`);
        return String.fromCharCode(n < 26 ? 65 + n : 71 + n);
      })
      .join('');
  };
  const count = Math.floor(args.length / 2);
  const operands = Array.from({ length: count }, (_, i) => args[2 * i]);
  if (count === 0 || !operands.every(isTensor)) {
    throw new ArgumentError("[einsum] neither an equation nor operands with axes (expected einsum('ij,jk->ik', a, b))");
  }
  const inputs = operands.map((_, i) => letters(args[2 * i + 1])).join(',');
  return [args.length % 2 === 0 ? inputs : `${inputs}->${letters(args[args.length - 1])}`, ...operands];
}

/** The length of each label's axes: all equal, or 1. */
function lengthsOf(labelled: readonly (readonly string[])[], operands: readonly Tensor[]): Map<string, number> {
  const size = new Map<string, number>();
  labelled.forEach((labels, i) => {
    const { shape } = operands[i]!;
    labels.forEach((label, axis) => {
      const length = shape[axis]!;
      const known = size.get(label) ?? 1;
      const repeated = labels.indexOf(label);
      if ((length !== known && length !== 1 && known !== 1) || shape[repeated] !== length) {
        const other = shape[repeated] === length ? known : shape[repeated];
        throw new ShapeError(
          `[einsum] lengths of '${label}' differ: ${other} and ${length} (operand ${i} ${showShape(shape)})`,
        );
      }
      size.set(label, length === 1 ? known : length);
    });
  });
  return size;
}

/** Each label once (repeated ones are diagonals), and no axis of length 1 where others are longer. */
function simplified(x: Tensor, labels: readonly string[], size: ReadonlyMap<string, number>): Term {
  let [y, left] = [x, [...labels]];
  for (let twice = left.findIndex((l) => !once(left, l)); twice >= 0; twice = left.findIndex((l) => !once(left, l))) {
    const label = left[twice]!;
    y = diagonal(y, 0, twice, left.lastIndexOf(label));
    left = [...without(left, [label]), ...left.filter((l) => l === label).slice(1)];
  }
  const kept = left.filter((label, axis) => y.shape[axis] === size.get(label));
  return {
    x: shaped(
      y,
      y.shape.filter((_, axis) => kept.includes(left[axis]!)),
    ),
    labels: kept,
  };
}

const shaped = (x: Tensor, shape: Shape): Tensor => x.derive(reshape(x.node, shape));

function summed({ x, labels }: Term, away: readonly string[]): Term {
  if (away.length === 0) return { x, labels };
  return {
    x: sum(
      x,
      away.map((label) => labels.indexOf(label)),
    ),
    labels: without(labels, away),
  };
}

function cheapestPair(
  terms: readonly Term[],
  output: readonly string[],
  size: ReadonlyMap<string, number>,
): [number, number] {
  const volume = (labels: readonly string[]): number => labels.reduce((n, label) => n * size.get(label)!, 1);
  let best: [number, number] = [0, 1];
  let least = Infinity;
  for (let j = 1; j < terms.length; j++) {
    for (let i = 0; i < j; i++) {
      const [a, b] = [terms[i]!.labels, terms[j]!.labels];
      const kept = [...output, ...terms.flatMap(({ labels }, k) => (k === i || k === j ? [] : labels))];
      const result = shared([...a, ...without(b, a)], kept);
      const growth = volume(result) - volume(a) - volume(b);
      if (growth < least) [least, best] = [growth, [i, j]];
    }
  }
  return best;
}

/** The product of two terms, summed over the labels that nobody else wants. */
function joined(a: Term, b: Term, kept: readonly string[], size: ReadonlyMap<string, number>): Term {
  const both = shared(a.labels, b.labels);
  const batch = shared(both, kept);
  const inner = without(both, batch);
  const [left, right] = [without(a.labels, both), without(b.labels, both)];
  const lengths = (labels: readonly string[]): number[] => labels.map((label) => size.get(label)!);
  const ones = (labels: readonly string[]): number[] => labels.map(() => 1);
  const arranged = ({ x, labels }: Term, order: readonly string[], shape: Shape): Tensor =>
    x.derive(
      reshape(
        permute(
          x.node,
          order.map((label) => labels.indexOf(label)),
        ),
        shape,
      ),
    );
  const labels = [...batch, ...left, ...right];
  if (inner.length === 0 || left.length + right.length === 0) {
    const tail = lengths(inner);
    const x = mul(
      arranged(a, [...batch, ...left, ...inner], [...lengths([...batch, ...left]), ...ones(right), ...tail]),
      arranged(b, [...batch, ...right, ...inner], [...lengths(batch), ...ones(left), ...lengths(right), ...tail]),
    );
    return summed({ x, labels: [...labels, ...inner] }, inner);
  }
  const [n, m, k, p] = [batch, left, inner, right].map((part) => sizeOf(lengths(part))) as [
    number,
    number,
    number,
    number,
  ];
  const group = batch.length === 0 ? [] : [n];
  const product = matmul(
    arranged(a, [...batch, ...left, ...inner], [...group, m, k]),
    arranged(b, [...batch, ...inner, ...right], [...group, k, p]),
  );
  return { x: shaped(product, lengths(labels)), labels };
}
