/**
 * A small encoder of WebAssembly modules. It checks no types: a module is validated when it is compiled. Values are expressions (ropes of bytes) that nest; a `Block` takes statements in order:
 *
 * ```ts
 * const module = new WasmModule();
 * module.importMemory({ shared: false });
 * const f = module.function('scale', ['i32', 'i32'], []);          // (address, bytes)
 * const [address, bytes] = f.params as [Local, Local];
 * const i = f.local('i32');
 * f.body.for(i, i32(0), bytes, 16, (inner) => {
 *   const at = inner.let(op('i32.add', address, i));
 *   inner.store(at, op('i32x4.mul', load('v128.load', at), splatI32(2)));
 * });
 * module.export('scale', f);
 * const bytes = module.bytes();
 * ```
 */
import type { NumType } from '../../numerics/index.js';
import { LANE_OPERATIONS, LANE_STORES, LOADS, OPERATIONS, type Operation, type ValType } from './opcodes.js';

export type { Operation, ValType } from './opcodes.js';

/** Bytes, nested. */
export type Code = readonly (number | Code)[];

/** Code that leaves one value of the type on the stack. Pure but for loads: may be used anywhere its locals still hold the same. */
export interface Value {
  readonly type: ValType;
  readonly code: Code;
}

const TYPE_BYTES: Record<ValType, number> = { i32: 0x7f, v128: 0x7b };

/** An unsigned number in LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    if (rest === 0) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** A signed 32-bit number in LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; ) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

const opcode = (code: number): number[] => (code < 0x100 ? [code] : [0xfd, ...unsigned(code - 0x100)]);

/** A local variable (or parameter) of a function; as a value it is read. */
export class Local implements Value {
  readonly code: Code;
  constructor(
    readonly type: ValType,
    readonly index: number,
  ) {
    this.code = [0x20, ...unsigned(index)];
  }
}

/** An operation on values of the types that it takes. */
export function op(name: Operation, ...args: Value[]): Value {
  const { code, type } = OPERATIONS[name];
  return { type, code: [...args.map((arg) => arg.code), ...opcode(code)] };
}

/** An operation on one lane. */
export function lane(name: keyof typeof LANE_OPERATIONS, at: number, ...args: Value[]): Value {
  const [code, type] = LANE_OPERATIONS[name];
  return { type, code: [...args.map((arg) => arg.code), 0xfd, code, at] };
}

/** The 32-bit lanes of two vectors by number: 0 to 3 of `a`, 4 to 7 of `b`. */
export function shuffle(a: Value, b: Value, lanes: readonly [number, number, number, number]): Value {
  const bytes = lanes.flatMap((at) => [4 * at, 4 * at + 1, 4 * at + 2, 4 * at + 3]);
  return { type: 'v128', code: [a.code, b.code, 0xfd, 0x0d, ...bytes] };
}

/** Loads from `address` + `offset` bytes. */
export function load(name: keyof typeof LOADS, address: Value, offset = 0): Value {
  const [code, type, align] = LOADS[name];
  return { type, code: [address.code, ...opcode(code), align, ...unsigned(offset)] };
}

/** `vector` with the lane (of 32 bits) from memory. */
export function loadLane(at: number, address: Value, vector: Value, offset = 0): Value {
  return { type: 'v128', code: [address.code, vector.code, 0xfd, 0x56, 2, ...unsigned(offset), at] };
}

/** The bits of a constant as a u32; a bool's are 0 or 1. */
export function bitsOf(value: number, type: NumType): number {
  if (type === 'f32') floats[0] = value;
  else words[0] = type === 'bool' ? Number(value !== 0) : value;
  return words[0]!;
}

export const i32 = (value: number): Value => ({ type: 'i32', code: [0x41, ...signed(value)] });

const words = new Uint32Array(4);
const bytesOfWords = new Uint8Array(words.buffer);
const floats = new Float32Array(words.buffer);

/** A vector of four 32-bit words. */
export function v128(a: number, b: number, c: number, d: number): Value {
  words.set([a, b, c, d]);
  return { type: 'v128', code: [0xfd, 0x0c, ...bytesOfWords] };
}

export const splatI32 = (value: number): Value => v128(value, value, value, value);

/** `a` where the condition is not 0, else `b`; both are computed. */
export function select(a: Value, b: Value, condition: Value): Value {
  return { type: a.type, code: [a.code, b.code, condition.code, 0x1c, 1, TYPE_BYTES[a.type]] };
}

/** The unsigned minimum; `b` is read twice and so is `a`: they should be locals or constants. */
export const minU = (a: Value, b: Value): Value => select(a, b, op('i32.lt_u', a, b));

/** Statements in order, at one place in the nesting of a function. */
export class Block {
  readonly #code: Code[] = [];
  constructor(readonly fn: WasmFunction) {}

  /** The bytes so far. */
  get code(): Code {
    return this.#code;
  }

  /** Appends raw code that leaves the stack as it was. */
  push(code: Code): void {
    this.#code.push(code);
  }

  set(local: Local, value: Value): void {
    this.#code.push([value.code, 0x21, ...unsigned(local.index)]);
  }

  /** A new local that holds the value. */
  let(value: Value): Local {
    const local = this.fn.local(value.type);
    this.set(local, value);
    return local;
  }

  /** Adds a number to a local. */
  increase(local: Local, by: number): void {
    this.set(local, op('i32.add', local, i32(by)));
  }

  /** Stores a vector. */
  store(address: Value, value: Value, offset = 0): void {
    this.#code.push([address.code, value.code, 0xfd, 0x0b, 4, ...unsigned(offset)]);
  }

  storeLane(name: keyof typeof LANE_STORES, at: number, address: Value, vector: Value, offset = 0): void {
    const [code, align] = LANE_STORES[name];
    this.#code.push([address.code, vector.code, 0xfd, code, align, ...unsigned(offset), at]);
  }

  /** Calls a function without results. */
  call(fn: WasmFunction, ...args: Value[]): void {
    this.#code.push(fn.callCode(args));
  }

  /** A block inside this one, not yet placed: see `placeIf` and `placeLoop`. What is appended here meanwhile comes before it. */
  inner(): Block {
    return new Block(this.fn);
  }

  placeIf(condition: Value, then: Block, otherwise?: Block): void {
    this.#code.push([condition.code, 0x04, 0x40, then.code, ...(otherwise ? [0x05, otherwise.code] : []), 0x0b]);
  }

  /** Runs `body` again and again while the condition, computed at its end, is not 0. */
  placeLoop(body: Block, again: Value): void {
    this.#code.push([0x03, 0x40, body.code, again.code, 0x0d, 0, 0x0b]);
  }

  if(condition: Value, then: (inner: Block) => void, otherwise?: (inner: Block) => void): void {
    const [a, b] = [this.inner(), this.inner()];
    then(a);
    otherwise?.(b);
    this.placeIf(condition, a, otherwise ? b : undefined);
  }

  /**
   * `for (v = from; v < to; v += step)`, as unsigned numbers; `to` should be a local or a constant. The body may append to this
   * block too: that comes before the loop.
   */
  for(v: Local, from: Value, to: Value, step: number | Value, body: (inner: Block) => void): void {
    const inner = this.inner();
    body(inner);
    inner.set(v, op('i32.add', v, typeof step === 'number' ? i32(step) : step));
    const around = this.inner();
    around.placeLoop(inner, op('i32.lt_u', v, to));
    this.set(v, from);
    this.placeIf(op('i32.lt_u', v, to), around);
  }
}

/** A function of a module; its code is `entry`, then `body`. */
export class WasmFunction {
  readonly params: readonly Local[];
  /** Runs before everything: constants and addresses go here whenever they turn out to be needed. */
  readonly entry: Block;
  readonly body: Block;
  readonly #locals: ValType[] = [];

  constructor(
    readonly name: string,
    readonly index: number,
    readonly paramTypes: readonly ValType[],
    readonly results: readonly ValType[],
  ) {
    this.params = paramTypes.map((type, i) => new Local(type, i));
    this.entry = new Block(this);
    this.body = new Block(this);
  }

  local(type: ValType): Local {
    this.#locals.push(type);
    return new Local(type, this.params.length + this.#locals.length - 1);
  }

  /** The value that the function gives, at its end. */
  result(value: Value): void {
    this.body.push(value.code);
  }

  callCode(args: readonly Value[]): Code {
    return [...args.map(({ code }) => code), 0x10, ...unsigned(this.index)];
  }

  encode(): Code {
    const runs: [number, ValType][] = [];
    for (const type of this.#locals) {
      const last = runs[runs.length - 1];
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    const locals = vector(runs.map(([count, type]) => [...unsigned(count), TYPE_BYTES[type]]));
    return sized([locals, this.entry.code, this.body.code, 0x0b]);
  }
}

function flatten(code: Code): number[] {
  const bytes: number[] = [];
  const stack = [code.values()];
  while (stack.length > 0) {
    const { done, value } = stack[stack.length - 1]!.next();
    if (done) stack.pop();
    else if (typeof value === 'number') bytes.push(value);
    else stack.push(value.values());
  }
  return bytes;
}

/** A vector of the binary format: the number of items, and the items. */
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items];

function sized(code: Code): Code {
  const bytes = flatten(code);
  return [...unsigned(bytes.length), bytes];
}

const text = (value: string): Code => vector([...new TextEncoder().encode(value)].map((byte) => [byte]));

/** A module of functions over one imported memory ("env" "memory"). */
export class WasmModule {
  readonly #types = new Map<string, number>();
  readonly #typeCodes: Code[] = [];
  readonly #functions: WasmFunction[] = [];
  readonly #exports: Code[] = [];
  #memory: Code | null = null;

  /** A shared memory of any size, or one that is not shared. */
  importMemory({ shared }: { readonly shared: boolean }): void {
    const limits = shared ? [0x03, 0, ...unsigned(65536)] : [0x00, 0];
    this.#memory = [text('env'), text('memory'), 0x02, ...limits];
  }

  function(name: string, params: readonly ValType[], results: readonly ValType[]): WasmFunction {
    const made = new WasmFunction(name, this.#functions.length, params, results);
    this.#functions.push(made);
    return made;
  }

  export(name: string, fn: WasmFunction): void {
    this.#exports.push([text(name), 0x00, ...unsigned(fn.index)]);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const typeNumbers = this.#functions.map(({ paramTypes, results }) => [
      ...unsigned(this.#type(paramTypes, results)),
    ]);
    const sections: [number, readonly Code[]][] = [
      [1, this.#typeCodes],
      [2, this.#memory ? [this.#memory] : []],
      [3, typeNumbers],
      [7, this.#exports],
      [10, this.#functions.map((fn) => fn.encode())],
    ];
    const code = sections.filter(([, items]) => items.length > 0).map(([id, items]) => [id, sized(vector(items))]);
    return Uint8Array.from(flatten([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...code]));
  }

  #type(params: readonly ValType[], results: readonly ValType[]): number {
    const key = `${params}>${results}`;
    let number = this.#types.get(key);
    if (number === undefined) {
      number = this.#typeCodes.length;
      this.#types.set(key, number);
      const types = (list: readonly ValType[]) => vector(list.map((type) => [TYPE_BYTES[type]]));
      this.#typeCodes.push([0x60, types(params), types(results)]);
    }
    return number;
  }
}
