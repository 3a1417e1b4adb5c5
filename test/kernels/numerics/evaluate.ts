/** Runs numeric functions in JavaScript, rounding to f32 after every operation as an ideal engine would. */
import type { BasicOp, Num, NumericFn, NumType } from '../../../kernels/numerics/index.js';

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

const helpers = {
  fromBits: (bits: number) => {
    words[0] = bits;
    return floats[0]!;
  },
  toBits: (value: number) => {
    floats[0] = value;
    return words[0]!;
  },
  roundEven: (x: number) => {
    const floor = Math.floor(x);
    const half = x - floor;
    const up = half > 0.5 || (half === 0.5 && floor % 2 !== 0);
    const rounded = up ? floor + 1 : floor;
    return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : rounded;
  },
};

const wrap = (type: NumType, code: string): string => (type === 'u32' ? `((${code})>>>0)` : `((${code})|0)`);

function operation(op: BasicOp, type: NumType, from: NumType, [a, b, c]: readonly string[]): string {
  const float = from === 'f32';
  const arithmetic = (sign: string) => (float ? `Math.fround(${a}${sign}${b})` : wrap(type, `${a}${sign}${b}`));
  switch (op) {
    case 'add':
      return arithmetic('+');
    case 'sub':
      return arithmetic('-');
    case 'mul':
      return float ? `Math.fround(${a}*${b})` : wrap(type, `Math.imul(${a},${b})`);
    case 'div':
      return float ? `Math.fround(${a}/${b})` : wrap(type, `Math.trunc(${a}/${b})`);
    case 'rem':
      return wrap(type, `${a}%${b}`);
    case 'neg':
      return float ? `(-${a})` : wrap(type, `-${a}`);
    case 'lt':
      return `(${a}<${b})`;
    case 'le':
      return `(${a}<=${b})`;
    case 'eq':
      return `(${a}===${b})`;
    case 'select':
      return `(${a}?${b}:${c})`;
    case 'abs':
      return `Math.abs(${a})`;
    case 'sqrt':
      return `Math.fround(Math.sqrt(${a}))`;
    case 'floor':
      return `Math.floor(${a})`;
    case 'ceil':
      return `Math.ceil(${a})`;
    case 'trunc':
      return `Math.trunc(${a})`;
    case 'roundEven':
      return `h.roundEven(${a})`;
    case 'barrier':
      return a!;
    case 'and':
      return type === 'bool' ? `(${a}&&${b})` : wrap(type, `${a}&${b}`);
    case 'or':
      return type === 'bool' ? `(${a}||${b})` : wrap(type, `${a}|${b}`);
    case 'xor':
      return type === 'bool' ? `(${a}!==${b})` : wrap(type, `${a}^${b}`);
    case 'not':
      return type === 'bool' ? `(!${a})` : wrap(type, `~${a}`);
    case 'shl':
      return wrap(type, `${a}<<${b}`);
    case 'shr':
      return type === 'u32' ? `(${a}>>>${b})` : `(${a}>>${b})`;
    case 'min':
      return `Math.min(${a},${b})`;
    case 'max':
      return `Math.max(${a},${b})`;
    case 'toF32':
      return `Math.fround(${a})`;
    case 'toI32':
    case 'toU32':
      return wrap(type, a!);
    case 'bitsToF32':
      return from === 'f32' ? a! : `h.fromBits(${a})`;
    case 'bitsToI32':
    case 'bitsToU32':
      return wrap(type, from === 'f32' ? `h.toBits(${a})` : a!);
  }
}

/** A JavaScript function of the arguments' values; NaN keeps no payload. */
export function compile(fn: NumericFn): (...args: number[]) => number {
  const calls: ((...args: number[]) => number)[] = [];
  let next = 0;

  const literal = (value: number, type: NumType): string =>
    type === 'bool' ? String(value !== 0) : Object.is(value, -0) ? '-0' : `(${value})`;

  function emit(node: Num, names: Map<Num, string>, lines: string[], loops: Map<object, string[]>): string {
    const known = names.get(node);
    if (known) return known;
    let code: string;
    if (node.kind === 'arg') return `a${node.index}`;
    if (node.kind === 'const') return literal(node.value, node.type);
    if (node.kind === 'op') {
      const args = node.args.map((arg) => emit(arg, names, lines, loops));
      code = operation(node.op, node.type, node.args[0]!.type, args);
    } else if (node.kind === 'call') {
      const args = node.args.map((arg) => emit(arg, names, lines, loops));
      calls.push(compile(node.fn));
      code = `calls[${calls.length - 1}](${args.join(',')})`;
    } else if (node.kind === 'after') {
      let states = loops.get(node.loop);
      if (!states) {
        states = node.loop.init.map((init) => {
          const value = emit(init, names, lines, loops);
          lines.push(`let s${next}=${value};`);
          return `s${next++}`;
        });
        loops.set(node.loop, states);
        const inner = new Map(names);
        node.loop.states.forEach((state, i) => void inner.set(state, states![i]!));
        const body: string[] = [];
        const condition = emit(node.loop.condition, inner, body, loops);
        body.push(`if(!${condition})break;`);
        const after = node.loop.next.map((value) => emit(value, inner, body, loops));
        body.push(`[${states.join(',')}]=[${after.join(',')}];`);
        lines.push(`for(;;){${body.join('')}}`);
      }
      code = states[node.index]!;
    } else {
      throw new Error('a state outside of its loop');
    }
    lines.push(`const t${next}=${code};`);
    names.set(node, `t${next}`);
    return `t${next++}`;
  }

  const lines: string[] = [];
  const result = emit(fn.body, new Map(), lines, new Map());
  const params = fn.params.map((_, i) => `a${i}`);
  const source = `return function(${params.join(',')}){${lines.join('\n')}\nreturn ${result};}`;
  return new Function('h', 'calls', source)(helpers, calls) as (...args: number[]) => number;
}

const ordered = (bits: number): number => (bits & 0x80000000 ? 0x80000000 - (bits >>> 0) : bits);

/** Distance in units of the last place of the f32 nearest to `exact`; 0 where both are the same special value. */
export function ulps(got: number, exact: number): number {
  const want = Math.fround(exact);
  if (Object.is(got, want)) return 0;
  if (!Number.isFinite(want) || !Number.isFinite(got)) {
    if (Number.isNaN(got) || Number.isNaN(exact)) return Number.POSITIVE_INFINITY;
    // At the edge of overflow the neighbour of the largest number is infinity.
    return Math.abs(ordered(helpers.toBits(got)) - ordered(helpers.toBits(want)));
  }
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(want) || 2 ** -126)), -126) - 23);
  return Math.abs(got - exact) / unit;
}
