import { expect, it } from 'vitest';
import {
  bitsOf,
  i32,
  type Local,
  lane,
  load,
  loadLane,
  op,
  select,
  shuffle,
  splatI32,
  type Value,
  v128,
  WasmModule,
} from '../../../kernels/render/wasm/encoder.js';

const splatF32 = (value: number) => splatI32(bitsOf(value, 'f32'));

type Exported = (...args: number[]) => number;

function instantiate(module: WasmModule, memory = new WebAssembly.Memory({ initial: 1 })) {
  const compiled = new WebAssembly.Module(module.bytes() as Uint8Array<ArrayBuffer>);
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  return { exports: exports as unknown as Record<string, Exported>, memory };
}

function moduleOf(build: (module: WasmModule) => void) {
  const module = new WasmModule();
  module.importMemory({ shared: false });
  build(module);
  return instantiate(module);
}

it('an empty module is valid', () => {
  expect(WebAssembly.validate(new WasmModule().bytes() as Uint8Array<ArrayBuffer>)).toBe(true);
});

it('scales a vector in a loop', () => {
  const { exports, memory } = moduleOf((module) => {
    const f = module.function('scale', ['i32', 'i32'], []);
    const [address, bytes] = f.params as [Local, Local];
    const i = f.local('i32');
    f.body.for(i, i32(0), bytes, 16, (inner) => {
      const at = inner.let(op('i32.add', address, i));
      inner.store(at, op('f32x4.mul', load('v128.load', at), splatF32(2)));
    });
    module.export('scale', f);
  });
  const floats = new Float32Array(memory.buffer, 64, 12);
  floats.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  exports.scale!(64, 32);
  expect([...floats]).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 9, 10, 11, 12]);
  exports.scale!(64, 0);
  expect(floats[0]).toBe(2);
});

it('code appended to an outer block stands before the loop', () => {
  const { exports } = moduleOf((module) => {
    const f = module.function('f', ['i32'], ['i32']);
    const [n] = f.params as [Local];
    const [i, sum] = [f.local('i32'), f.local('i32')];
    f.body.for(i, i32(0), n, 1, (inner) => {
      const hoisted = f.body.let(op('i32.mul', n, i32(3)));
      inner.set(sum, op('i32.add', sum, hoisted));
    });
    f.result(sum);
    module.export('f', f);
  });
  expect(exports.f!(5)).toBe(75);
  expect(exports.f!(0)).toBe(0);
});

it('nested conditions and a loop that runs at least once', () => {
  const { exports } = moduleOf((module) => {
    const f = module.function('collatz', ['i32'], ['i32']);
    const [n] = f.params as [Local];
    const steps = f.local('i32');
    f.body.if(op('i32.gt_u', n, i32(1)), (outer) => {
      const inner = outer.inner();
      inner.if(
        op('i32.and', n, i32(1)),
        (odd) => odd.set(n, op('i32.add', op('i32.mul', n, i32(3)), i32(1))),
        (even) => even.set(n, op('i32.shr_u', n, i32(1))),
      );
      inner.set(steps, op('i32.add', steps, i32(1)));
      outer.placeLoop(inner, op('i32.ne', n, i32(1)));
    });
    f.result(steps);
    module.export('collatz', f);
  });
  expect(exports.collatz!(27)).toBe(111);
  expect(exports.collatz!(1)).toBe(0);
});

it('constants of every size', () => {
  for (const value of [0, 63, 64, -64, -65, 8191, 8192, -8193, 2 ** 31 - 1, -(2 ** 31), 4294967295]) {
    const { exports } = moduleOf((module) => {
      const f = module.function('f', [], ['i32']);
      f.result(i32(value));
      module.export('f', f);
    });
    expect(exports.f!()).toBe(value | 0);
  }
});

it('calls, selects, lanes and shuffles', () => {
  const { exports, memory } = moduleOf((module) => {
    const g = module.function('g', ['i32', 'v128'], ['v128']);
    const [x, v] = g.params as [Local, Local];
    g.result(op('f32x4.add', op('i32x4.splat', x), v));
    const f = module.function('f', ['i32'], ['i32']);
    const [at] = f.params as [Local];
    const sum: Value = { type: 'v128', code: g.callCode([i32(bitsOf(0.5, 'f32')), load('v128.load', at)]) };
    const named = f.body.let(shuffle(sum, v128(0x3f800000, 0, 0, 0), [3, 4, 1, 0]));
    f.body.store(at, named, 16);
    f.body.storeLane('v128.store32_lane', 1, at, named, 32);
    f.body.storeLane('v128.store64_lane', 1, at, named, 40);
    f.body.store(at, loadLane(2, at, splatI32(7), 4), 48);
    const [a, b] = [lane('i32x4.extract_lane', 0, named), lane('i32x4.extract_lane', 3, named)];
    f.result(select(a, b, op('i32.eqz', i32(0))));
    module.export('f', f);
  });
  const floats = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  floats.set([1, 2, 3, 4]);
  expect(exports.f!(0)).toBe(bitsOf(4.5, 'f32'));
  expect([...floats.subarray(4, 8)]).toEqual([4.5, 1, 2.5, 1.5]);
  expect(floats[8]).toBe(1);
  expect([...floats.subarray(10, 12)]).toEqual([2.5, 1.5]);
  expect([...words.subarray(12, 14), floats[14], words[15]]).toEqual([7, 7, 2, 7]);
});

it('a shared memory', () => {
  const module = new WasmModule();
  module.importMemory({ shared: true });
  const f = module.function('f', ['i32'], ['i32']);
  f.result(load('i32.load', f.params[0]!));
  module.export('f', f);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 10, shared: true });
  new Int32Array(memory.buffer)[3] = 42;
  expect(instantiate(module, memory).exports.f!(12)).toBe(42);
});

it('leaves it to the engine to refuse operands of wrong types', () => {
  const module = new WasmModule();
  module.function('f', [], ['v128']).result(op('f32x4.add', i32(1), splatF32(1)));
  expect(WebAssembly.validate(module.bytes())).toBe(false);
});
