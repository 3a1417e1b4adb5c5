import {
  type Block,
  i32,
  type Local,
  load,
  op,
  splatI32,
  type Value,
  type WasmFunction,
  type WasmModule,
} from './encoder.js';

/** Sums of products of four values at a time. */
export interface Arithmetic {
  readonly dtype: 'f32' | 'i32' | 'u32';
  /** Multiply and add in one operation, where the engine has it. */
  readonly relaxed: boolean;
}

const isFused = ({ dtype, relaxed }: Arithmetic): boolean => relaxed && dtype === 'f32';

/** sum + a * b. */
export function multiplyAdd(arithmetic: Arithmetic, a: Value, b: Value, sum: Value): Value {
  if (isFused(arithmetic)) return op('f32x4.relaxed_madd', a, b, sum);
  const lanes = arithmetic.dtype === 'f32' ? 'f32x4' : 'i32x4';
  return op(`${lanes}.add`, sum, op(`${lanes}.mul`, a, b));
}

/** Where a register block finds its operands; all strides are bytes, none is negative and `aStep` is not 0. */
export interface MicroShape {
  /** Rows of the block: 1 to 4. */
  readonly rows: number;
  /** Vectors of columns: 1 or 2. With four rows two make eight sums, as many as keep the multipliers busy. */
  readonly vectors: number;
  readonly aRow: number;
  readonly aStep: number;
  readonly bStep: number;
  readonly cRow: number;
  /** Whether blocks continue sums of an earlier part of k: then a last parameter is 0 where they do, and 1 where they start. */
  readonly continues: boolean;
}

/**
 * A function (a, b, c, steps, starts?) that adds `steps` (at least 1) products to a block of sums in memory at `c`.
 *
 * Compilers load all operands of a straight piece of code before they compute: more than one step a piece would need more than the
 * 16 vector registers of x86 and go through the stack. Where multiplication and addition are two instructions the loop takes two steps,
 * and its test of the end stands between them; fused ones wait for each other less, and run faster one step at a time.
 */
export function microKernel(module: WasmModule, name: string, shape: MicroShape, arithmetic: Arithmetic): WasmFunction {
  const { rows, vectors, aRow, aStep, bStep, cRow, continues } = shape;
  const fn = module.function(name, Array(4 + Number(continues)).fill('i32'), []);
  const [a, b, c, steps] = fn.params as [Local, Local, Local, Local];
  const { body } = fn;
  const places = Array.from({ length: rows * vectors }, (_, n) => {
    const [row, vector] = [Math.floor(n / vectors), n % vectors];
    return { sum: fn.local('v128'), row, vector, offset: row * cRow + 16 * vector };
  });
  const zero = (block: Block): void => {
    for (const { sum } of places) block.set(sum, splatI32(0));
  };
  if (continues) {
    body.if(fn.params[4]!, zero, (otherwise) => {
      for (const { sum, offset } of places) otherwise.set(sum, load('v128.load', c, offset));
    });
  } else {
    zero(body);
  }
  const columns = Array.from({ length: vectors }, () => fn.local('v128'));
  const left = fn.local('v128');
  const step = (block: Block, number: number): void => {
    for (const [j, column] of columns.entries()) block.set(column, load('v128.load', b, number * bStep + 16 * j));
    for (const { sum, row, vector } of places) {
      if (vector === 0) block.set(left, load('v128.load32_splat', a, row * aRow + number * aStep));
      block.set(sum, multiplyAdd(arithmetic, left, columns[vector]!, sum));
    }
  };
  const end = body.let(op('i32.add', a, op('i32.mul', steps, i32(aStep))));
  const inside = body.inner();
  const atOnce = isFused(arithmetic) ? 1 : 2;
  step(inside, 0);
  if (atOnce === 2) {
    // An odd number of steps leaves from here: block { loop { step; br_if 1; step; br_if 0 } }.
    const last = body.let(op('i32.sub', end, i32(aStep)));
    inside.push([op('i32.eq', a, last).code, 0x0d, 1]);
    step(inside, 1);
  }
  inside.increase(b, atOnce * bStep);
  inside.increase(a, atOnce * aStep);
  body.push([0x02, 0x40]);
  body.placeLoop(inside, op('i32.ne', a, end));
  body.push([0x0b]);
  for (const { sum, offset } of places) body.store(c, sum, offset);
  return fn;
}
