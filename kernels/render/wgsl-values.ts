import type { Num, NumericFn, NumType } from '../numerics/index.js';
import { type HalfWay, type Halves, ownHalf } from './wgsl-halves.js';

/** 1: an ordinary value. 4: a vec4 with the values at four consecutive points of a vector variable. */
export type Width = 1 | 4;

/** The WGSL type of a value; bool is `bool` (in storage it is a word). */
export const wgslType = (type: NumType, width: Width): string => (width === 1 ? type : `vec4<${type}>`);

const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);

/** The bits of a constant as a u32. */
export function bitsOf(value: number, type: NumType): number {
  if (type === 'f32') floats[0] = value;
  else words[0] = type === 'bool' ? (value !== 0 ? 1 : 0) : value;
  return words[0]!;
}

const LARGEST = 2 ** 128 - 2 ** 104;

/** The shortest decimal number that rounds to an f32. */
function shortest(value: number): string {
  const rounded = Math.fround(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = rounded.toPrecision(digits);
    // Above the largest f32 WGSL has no literals, even where they would round down to it.
    if (Math.fround(Number(text)) === rounded && Math.abs(Number(text)) <= LARGEST) return String(Number(text));
  }
  return String(rounded);
}

/** True where WGSL has a literal for the constant that every compiler reads right: not for NaN, infinities and -0. */
export const hasLiteral = (value: number, type: NumType): boolean =>
  type !== 'f32' || (Number.isFinite(Math.fround(value)) && !Object.is(value, -0));

/** A literal of a constant that has one. */
export function literal(value: number, type: NumType): string {
  switch (type) {
    case 'bool':
      return value !== 0 ? 'true' : 'false';
    case 'u32':
      return `${value >>> 0}u`;
    case 'i32': {
      const word = value | 0;
      // -2147483648i would be the negation of a number that is too large.
      return word === -(2 ** 31) ? 'i32(-2147483648)' : word < 0 ? `(${word}i)` : `${word}i`;
    }
    case 'f32': {
      const text = shortest(value);
      return text.startsWith('-') ? `(${text}f)` : `${text}f`;
    }
  }
}

export const splat = (code: string, type: NumType, width: Width): string =>
  width === 1 ? code : `vec4<${type}>(${code})`;

/** The helper functions that rendered code calls, in the order in which WGSL text may list them. */
export class WgslHelpers {
  readonly #texts = new Map<string, string>();

  /**
   * @param anyBuffer name of a storage buffer that the module declares
   * @param halves how the adapter itself converts f16, where it does that right
   */
  constructor(
    private readonly anyBuffer: () => string,
    private readonly halves: Halves | null = null,
  ) {}

  /** Directives that must stand before all declarations; complete once everything is rendered. */
  readonly directives = new Set<string>();

  /** Text of all functions that were used. */
  text(): string {
    return [...this.#texts.values()].join('\n');
  }

  #add(name: string, text: () => string): string {
    if (!this.#texts.has(name)) {
      // Reserves the name first: a body may use more helpers.
      this.#texts.set(name, '');
      this.#texts.set(name, text());
    }
    return name;
  }

  /** A constant that takes no part in constant expressions, which WGSL would refuse where they overflow. */
  constant(value: number, type: NumType, width: Width = 1): string {
    if (type === 'bool') return splat(literal(value, type), type, width);
    const name = this.#add(
      `tl_${type}`,
      () => `fn tl_${type}(bits: u32) -> ${type} { return bitcast<${type}>(bits); }`,
    );
    return splat(`${name}(${bitsOf(value, type)}u)`, type, width);
  }

  /** 0u that no compiler knows: the length of a buffer is below 2^31. */
  zero(): string {
    const name = this.#add('tl_zero', () => `fn tl_zero() -> u32 { return arrayLength(&${this.anyBuffer()}) >> 31u; }`);
    return `${name}()`;
  }

  /** An f32 constant that no compiler knows. */
  hidden(value: number): string {
    const zero = this.zero();
    const bits = bitsOf(value, 'f32');
    return `bitcast<f32>(${bits === 0 ? zero : `(${zero} | ${bits}u)`})`;
  }

  /** A call of a numeric function, or its body where that is short. Arguments have the given width. */
  call(fn: NumericFn, args: readonly string[], width: Width): string {
    const body = inlineBody(fn);
    if (body) return this.#inline(body, args, width);
    const own = this.halves && ownHalf(fn, this.halves, width);
    const name = `tl_${own ? 'own_' : ''}${fn.name}${width === 4 ? '_v4' : ''}`;
    this.#add(name, () => (own ? this.#defineOwn(name, fn, width, own) : this.#define(name, fn, width)));
    return `${name}(${args.join(', ')})`;
  }

  #defineOwn(name: string, fn: NumericFn, width: Width, { way, result }: { way: HalfWay; result: string }): string {
    if (way === 'f16') this.directives.add('enable f16;');
    const type = (of: NumType): string => wgslType(of, width);
    return `fn ${name}(a0: ${type(fn.params[0]!)}) -> ${type(fn.type)} { return ${result}; }`;
  }

  #inline(node: Num, args: readonly string[], width: Width): string {
    if (node.kind === 'arg') return args[node.index]!;
    if (node.kind === 'const') return this.#literal(node, width);
    if (node.kind !== 'op') throw new TypeError('not an inline body');
    return this.operation(
      node,
      node.args.map((arg) => this.#inline(arg, args, width)),
      width,
    );
  }

  #literal(node: Num & { kind: 'const' }, width: Width): string {
    if (hasLiteral(node.value, node.type)) return splat(literal(node.value, node.type), node.type, width);
    return this.constant(node.value, node.type, width);
  }

  /** One basic operation. */
  operation(node: Num & { kind: 'op' }, args: readonly string[], width: Width): string {
    const [a, b, c] = args as [string, string, string];
    const type = wgslType(node.type, width);
    const from = node.args[0]!.type;
    switch (node.op) {
      case 'add':
        return `(${a} + ${b})`;
      case 'sub':
        return `(${a} - ${b})`;
      case 'mul':
        return `(${a} * ${b})`;
      case 'div':
        return `(${a} / ${b})`;
      case 'rem':
        return `(${a} % ${b})`;
      case 'neg':
        return `(-${a})`;
      case 'lt':
        return `(${a} < ${b})`;
      case 'le':
        return `(${a} <= ${b})`;
      case 'eq':
        return `(${a} == ${b})`;
      case 'select':
        return `select(${c}, ${b}, ${a})`;
      case 'abs':
      case 'sqrt':
      case 'floor':
      case 'ceil':
      case 'trunc':
        return `${node.op}(${a})`;
      case 'min':
      case 'max':
        return `${node.op}(${a}, ${b})`;
      case 'roundEven':
        return `round(${a})`;
      case 'barrier': {
        const uint = wgslType('u32', width);
        return `bitcast<${type}>(bitcast<${uint}>(${a}) | ${splat(this.zero(), 'u32', width)})`;
      }
      case 'and':
        return `(${a} & ${b})`;
      case 'or':
        return `(${a} | ${b})`;
      case 'xor':
        return `(${a} ${node.type === 'bool' ? '!=' : '^'} ${b})`;
      case 'not':
        return `(${node.type === 'bool' ? '!' : '~'}${a})`;
      case 'shl':
        return `(${a} << ${b})`;
      case 'shr':
        return `(${a} >> ${b})`;
      case 'toF32':
      case 'toI32':
      case 'toU32':
        return `${type}(${a})`;
      case 'bitsToF32':
      case 'bitsToI32':
      case 'bitsToU32':
        return from === node.type ? a : `bitcast<${type}>(${a})`;
    }
  }

  #define(name: string, fn: NumericFn, width: Width): string {
    const params = fn.params.map((type, i) => `a${i}: ${wgslType(type, width)}`);
    const writer = new BodyWriter(this, fn, width);
    const result = writer.value(fn.body);
    const lines = [...writer.lines, `return ${unwrap(result)};`].map((line) => `  ${line}`);
    return `fn ${name}(${params.join(', ')}) -> ${wgslType(fn.type, width)} {\n${lines.join('\n')}\n}`;
  }
}

/** Without the outer parentheses of an operation. */
export function unwrap(code: string): string {
  if (!code.startsWith('(') || !code.endsWith(')')) return code;
  let depth = 0;
  for (let i = 0; i < code.length - 1; i++) {
    if (code[i] === '(') depth++;
    else if (code[i] === ')') depth--;
    if (depth === 0) return code;
  }
  return code.slice(1, -1);
}

const inlineBodies = new WeakMap<NumericFn, Num | 'none'>();

/** The body of a function of at most two operations (bitcasts are free) that uses every argument once, or null. */
function inlineBody(fn: NumericFn): Num | null {
  const known = inlineBodies.get(fn);
  if (known) return known === 'none' ? null : known;
  const used = new Set<number>();
  let operations = 0;
  const fits = (node: Num): boolean => {
    if (node.kind === 'const') return true;
    if (node.kind === 'arg') return used.size < used.add(node.index).size;
    if (node.kind !== 'op' || node.op === 'barrier') return false;
    if (!node.op.startsWith('bits')) operations++;
    return operations <= 2 && node.args.every(fits);
  };
  const answer = fits(fn.body) ? fn.body : 'none';
  inlineBodies.set(fn, answer);
  return answer === 'none' ? null : answer;
}

const MAX_INLINE_LENGTH = 100;

/** Writes the body of a helper function: parts that are used again become lets. */
class BodyWriter {
  lines: string[] = [];
  readonly #names = new Map<Num, string>();
  readonly #uses = new Map<Num, number>();
  readonly #loops = new Map<object, string[]>();
  #next = 0;

  constructor(
    private readonly helpers: WgslHelpers,
    fn: NumericFn,
    private readonly width: Width,
  ) {
    this.#count(fn.body);
  }

  #count(node: Num): void {
    const uses = (this.#uses.get(node) ?? 0) + 1;
    this.#uses.set(node, uses);
    if (uses > 1) return;
    if (node.kind === 'op' || node.kind === 'call') for (const arg of node.args) this.#count(arg);
    if (node.kind === 'after') {
      const { init, condition, next } = node.loop;
      for (const part of [...init, condition, ...next]) this.#count(part);
    }
  }

  value(node: Num): string {
    const known = this.#names.get(node);
    if (known) return known;
    if (node.kind === 'arg') return `a${node.index}`;
    if (node.kind === 'const') {
      return hasLiteral(node.value, node.type)
        ? splat(literal(node.value, node.type), node.type, this.width)
        : this.helpers.constant(node.value, node.type, this.width);
    }
    if (node.kind === 'state') throw new TypeError('a state outside of its loop');
    if (node.kind === 'after') return this.#loop(node);
    const args = node.args.map((arg) => this.value(arg));
    const code =
      node.kind === 'op'
        ? this.helpers.operation(node, args, this.width)
        : this.helpers.call(node.fn, args, this.width);
    if (this.#uses.get(node)! === 1 && code.length <= MAX_INLINE_LENGTH) return code;
    const name = `v${this.#next++}`;
    this.lines.push(`let ${name} = ${unwrap(code)};`);
    this.#names.set(node, name);
    return name;
  }

  #loop({ loop, index }: Num & { kind: 'after' }): string {
    const known = this.#loops.get(loop);
    if (known) return known[index]!;
    const states = loop.init.map((init) => {
      const name = `s${this.#next++}`;
      this.lines.push(`var ${name} = ${unwrap(this.value(init))};`);
      return name;
    });
    this.#loops.set(loop, states);
    const outside = this.lines;
    const outer = new Map(this.#names);
    this.lines = [];
    loop.states.forEach((state, i) => void this.#names.set(state, states[i]!));
    const condition = this.value(loop.condition);
    const any = this.width === 1 ? condition : `any(${condition})`;
    this.lines.push(`if (!${any}) { break; }`);
    const after = loop.next.map((next) => this.value(next));
    const assigned = after.map((value, i) => {
      const name = `n${this.#next++}`;
      // In a vector the finished values stay.
      const kept = this.width === 1 ? unwrap(value) : `select(${states[i]}, ${value}, ${condition})`;
      this.lines.push(`let ${name} = ${kept};`);
      return name;
    });
    states.forEach((state, i) => void this.lines.push(`${state} = ${assigned[i]};`));
    const inside = this.lines;
    this.lines = [...outside, 'loop {', ...inside.map((line) => `  ${line}`), '}'];
    this.#names.clear();
    for (const [node, name] of outer) this.#names.set(node, name);
    return states[index]!;
  }
}
