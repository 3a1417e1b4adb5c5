import { conv2d, matmul, type Tensor, zeros } from '../index.js';
import { UsageError } from './usage.js';

/** A computation of the command line: `matmul 512x512x512`. */
export interface ShapeCase {
  readonly name: string;
  readonly compute: (a: Tensor, b: Tensor) => Tensor;
  readonly inputs: () => [Tensor, Tensor];
}

/** The products and convolutions of the benchmarks, and what training a network is made of. */
export const DEFAULT_SHAPES: readonly string[] = [
  'matmul 512x512x512',
  'matmul 1024x1024x1024',
  'matmul 4096x4096x1',
  'matmul 128x784x256',
  'matmul 784x128x256 transpose=a',
  'matmul 8x512x64x512 transpose=b',
  'conv 1x64x56x56 64x3x3 padding=1',
  'conv 1x64x56x56 64x3x3 padding=1 groups=64',
  'conv 64x1x28x28 32x3x3',
  'conv 64x32x13x13 64x3x3',
  'conv 8x256x14x14 256x1x1',
];

const WHAT = 'matmul MxKxN or BxMxKxN [transpose=a|b|ab], conv BxCxHxW OUTxKHxKW [stride=N] [padding=N] [groups=N]';

function sizesOf(text: string, counts: readonly number[]): number[] {
  const sizes = text.split('x').map(Number);
  if (!counts.includes(sizes.length) || !sizes.every((size) => Number.isInteger(size) && size > 0)) {
    throw new UsageError(`not a shape: ${text} (expected ${WHAT})`);
  }
  return sizes;
}

/** The words of each case: those from one `matmul` or `conv` to the next. */
function split(words: readonly string[]): string[][] {
  const cases: string[][] = [];
  for (const word of words.flatMap((text) => text.split(/\s+/)).filter(Boolean)) {
    if (word === 'matmul' || word === 'conv') cases.push([word]);
    else if (cases.length === 0) throw new UsageError(`not a computation: ${word} (expected ${WHAT})`);
    else cases.at(-1)!.push(word);
  }
  return cases;
}

function optionsOf(words: readonly string[], known: readonly string[]): Map<string, string> {
  return new Map(
    words.map((word) => {
      const [key, value] = word.split('=') as [string, string | undefined];
      if (!known.includes(key) || !value) throw new UsageError(`not an option: ${word} (expected ${WHAT})`);
      return [key, value];
    }),
  );
}

function matmulCase(name: string, words: readonly string[]): ShapeCase {
  const [shape = '', ...rest] = words;
  const sizes = sizesOf(shape, [3, 4]);
  const [m, k, n] = sizes.slice(-3) as [number, number, number];
  const batch = sizes.slice(0, -3);
  const transposed = optionsOf(rest, ['transpose']).get('transpose') ?? '';
  if (!['', 'a', 'b', 'ab'].includes(transposed)) {
    throw new UsageError(`not an operand: transpose=${transposed} (expected a, b or ab)`);
  }
  const [ta, tb] = [transposed.includes('a'), transposed.includes('b')];
  const turned = (x: Tensor, isTurned: boolean): Tensor => (isTurned ? x.transpose(-2, -1) : x);
  return {
    name,
    compute: (a, b) => matmul(turned(a, ta), turned(b, tb)),
    inputs: () => [zeros([...batch, ...(ta ? [k, m] : [m, k])]), zeros([...batch, ...(tb ? [n, k] : [k, n])])],
  };
}

function convCase(name: string, words: readonly string[]): ShapeCase {
  const [image = '', filters = '', ...rest] = words;
  const [batch, channels, height, width] = sizesOf(image, [4]) as [number, number, number, number];
  const [outputs, rows, columns] = sizesOf(filters, [3]) as [number, number, number];
  const options = optionsOf(rest, ['stride', 'padding', 'groups']);
  const count = (key: string, otherwise: number, least: number): number => {
    const value = Number(options.get(key) ?? otherwise);
    if (Number.isInteger(value) && value >= least) return value;
    throw new UsageError(`not a count: ${key}=${options.get(key)} (expected an integer from ${least} on)`);
  };
  const [stride, padding, groups] = [count('stride', 1, 1), count('padding', 0, 0), count('groups', 1, 1)];
  return {
    name,
    compute: (x, w) => conv2d(x, w, null, { stride, padding, groups }),
    inputs: () => [zeros([batch, channels, height, width]), zeros([outputs, channels / groups, rows, columns])],
  };
}

/** The computations that words of a command line stand for. Throws UsageError. */
export function shapeCases(words: readonly string[]): ShapeCase[] {
  return split(words).map(([kind, ...rest]) => {
    const name = [kind, ...rest].join(' ');
    return kind === 'matmul' ? matmulCase(name, rest) : convCase(name, rest);
  });
}
