import { type DType, isFloat, type Shape, showShape, sizeOf, type TypedArray } from '../graph/index.js';

// The layout of PyTorch's `repr` of a tensor, with its default options.
const PRECISION = 4;
const SUMMARIZE_ABOVE = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 80;
const PREFIX = 'tensor(';

interface Style {
  width: number;
  text(value: number): string;
}

/** Two digits of exponent at least, as C and Python print them: 1.0000e-05. */
const exponential = (value: number): string =>
  value.toExponential(PRECISION).replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`);

const special = (value: number): string => (Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf');

/** toFixed and String(0) both lose the sign of -0. */
const fixed = (value: number, digits: number): string => (Object.is(value, -0) ? '-' : '') + value.toFixed(digits);

function styleOf(values: ArrayLike<number>, dtype: DType): Style {
  const list = Array.from(values);
  if (dtype === 'bool') return widest(list, (value) => (value !== 0 ? 'true' : 'false'));
  if (!isFloat(dtype)) return widest(list, String);
  const counted = list.filter((value) => Number.isFinite(value) && value !== 0);
  const sizes = counted.map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const whole = counted.every(Number.isInteger);
  const scientific = counted.length > 0 && (largest / smallest > 1000 || largest > 1e8 || (!whole && smallest < 1e-4));
  const finite = scientific
    ? exponential
    : whole
      ? (value: number) => `${fixed(value, 0)}.`
      : (value: number) => fixed(value, PRECISION);
  const style = widest(counted, finite);
  return { width: style.width, text: (value) => (Number.isFinite(value) ? finite(value) : special(value)) };
}

function widest(values: readonly number[], text: (value: number) => string): Style {
  return { width: values.reduce((width, value) => Math.max(width, text(value).length), 1), text };
}

/** Offsets of the shown positions of an axis; null stands for the ones left out. */
function shown(length: number, summarize: boolean): (number | null)[] {
  const all = Array.from({ length }, (_, i) => i);
  return summarize && length > 2 * EDGE_ITEMS ? [...all.slice(0, EDGE_ITEMS), null, ...all.slice(-EDGE_ITEMS)] : all;
}

function shownValues(values: TypedArray, shape: Shape, summarize: boolean): number[] {
  let offsets = [0];
  for (const length of shape) {
    const positions = shown(length, summarize).filter((i) => i !== null);
    offsets = offsets.flatMap((offset) => positions.map((i) => offset * length + i));
  }
  return offsets.map((offset) => values[offset]!);
}

function body(values: TypedArray, shape: Shape, style: Style, summarize: boolean, indent: number, offset = 0): string {
  const pad = (value: number) => style.text(value).padStart(style.width);
  const [length, ...inner] = shape;
  if (length === undefined) return pad(values[offset]!);
  if (inner.length === 0) {
    const words = shown(length, summarize).map((i) => (i === null ? ' ...' : pad(values[offset + i]!)));
    const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (style.width + 2)));
    const lines: string[] = [];
    for (let i = 0; i < words.length; i += perLine) lines.push(words.slice(i, i + perLine).join(', '));
    return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
  }
  const stride = sizeOf(inner);
  const parts = shown(length, summarize).map((i) =>
    i === null ? '...' : body(values, inner, style, summarize, indent + 1, offset + i * stride),
  );
  return `[${parts.join(`,${'\n'.repeat(inner.length)}${' '.repeat(indent + 1)}`)}]`;
}

/** A tensor as PyTorch prints it: values, then the dtype where it is not f32 or bool, and whether it requires grad. */
export function formatTensor(values: TypedArray, shape: Shape, dtype: DType, requiresGrad: boolean): string {
  const notes: string[] = [];
  let text: string;
  if (values.length === 0) {
    text = '[]';
    if (shape.length !== 1) notes.push(`shape=${showShape(shape)}`);
  } else {
    const summarize = values.length > SUMMARIZE_ABOVE;
    text = body(values, shape, styleOf(shownValues(values, shape, summarize), dtype), summarize, PREFIX.length);
  }
  if (dtype !== 'f32' && dtype !== 'bool') notes.push(`dtype=${dtype}`);
  if (requiresGrad) notes.push('requiresGrad=true');
  let out = PREFIX + text;
  let column = out.length - (out.lastIndexOf('\n') + 1);
  for (const note of notes) {
    const wraps = column + note.length + 2 > LINE_WIDTH;
    out += wraps ? `,\n${' '.repeat(PREFIX.length)}${note}` : `, ${note}`;
    column = wraps ? PREFIX.length + note.length : column + note.length + 2;
  }
  return `${out})`;
}

/** What is known before the values are: `tensor(shape=[2, 3], dtype=f32, not read yet)`. */
export function formatUnread(shape: Shape, dtype: DType, requiresGrad: boolean): string {
  return `tensor(shape=${showShape(shape)}, dtype=${dtype}${requiresGrad ? ', requiresGrad=true' : ''}, not read yet)`;
}
