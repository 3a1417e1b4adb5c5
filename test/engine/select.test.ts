import { expect, it } from 'vitest';
import { createEngine } from '../../src/engine/select/index.js';
import { ArgumentError, EngineUnavailableError } from '../../src/graph/index.js';
import { describeWebGPU } from '../setup/environment.js';

it.each(['wasm', 'tfjs', 'reference', 'plan-only'] as const)('makes %s anywhere', async (name) => {
  const engine = await createEngine(name);
  expect(engine.name).toBe(name);
  expect(engine.info()).toMatchObject({ engine: name, software: name !== 'plan-only' });
  engine.destroy();
});

it.each(['cuda', 'toString', ''])('refuses the name %j', async (name) => {
  const error = await createEngine(name as 'auto').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ArgumentError);
  expect(String(error)).toMatch(/expected one of auto, webgpu, wasm, tfjs, reference, plan-only/);
});

it('never chooses a software adapter by itself, and says what it tried', async () => {
  const engine = await createEngine('auto');
  const { engine: name, software, why } = engine.info();
  engine.destroy();
  if (name === 'webgpu') {
    expect(software).toBe(false);
  } else {
    expect(name).toBe('wasm');
    expect(why).toMatch(/^auto: webgpu: \[webgpu\] .*; tfjs: .*; WebAssembly computes everywhere; \d+ threads?: /);
  }
});

it('says what was looked for where there is no driver', async () => {
  const before = process.env.VK_ICD_FILENAMES;
  process.env.VK_ICD_FILENAMES = '/nonexistent.json';
  try {
    const error = await createEngine('webgpu').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineUnavailableError);
    expect(String(error)).toMatch(/no WebGPU adapter: looked for .*\(expected npm install webgpu/);
    const engine = await createEngine('auto');
    expect(engine.name).toBe('wasm');
    expect(engine.info().why).toContain('no WebGPU adapter');
    engine.destroy();
  } finally {
    if (before === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = before;
  }
});

describeWebGPU('webgpu by name', () => {
  it('takes a software adapter too, and says so', async () => {
    const engine = await createEngine('webgpu');
    const info = engine.info();
    engine.destroy();
    expect(info.why).toMatch(/^asked for by name; /);
    expect(info.software).toBe(/swiftshader|llvmpipe/i.test(info.adapter));
  });
});

it('falls back to the reference where WebAssembly has no vectors', async () => {
  const { validate } = WebAssembly;
  const before = process.env.VK_ICD_FILENAMES;
  process.env.VK_ICD_FILENAMES = '/nonexistent.json';
  WebAssembly.validate = () => false;
  try {
    const error = await createEngine('wasm').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EngineUnavailableError);
    expect(String(error)).toMatch(/no WebAssembly with SIMD here: looked for .*\(expected /);
    const engine = await createEngine('auto');
    expect(engine.name).toBe('reference');
    expect(engine.info().why).toMatch(/^auto: webgpu: .*; wasm: \[wasm\] no WebAssembly with SIMD .*; reference/);
    engine.destroy();
  } finally {
    WebAssembly.validate = validate;
    if (before === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = before;
  }
});
