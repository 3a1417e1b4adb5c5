import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { describeChromium } from '../setup/environment.js';
import { type ChromiumRun, runInChromium } from './chromium.js';

describeChromium('the webgpu engine in Chromium', () => {
  let run: ChromiumRun;
  beforeAll(async () => {
    run = await runInChromium(fileURLToPath(new URL('engineChecks.ts', import.meta.url)));
  });

  function valueFrom(name: string): unknown {
    const result = run.results[name];
    if (!result.ok) throw new Error(`${name} failed in the page: ${result.error}`);
    return result.value;
  }

  it('says what it is', () => {
    expect(valueFrom('info')).toMatchObject({
      name: 'webgpu',
      software: true,
      adapter: expect.stringMatching(/swiftshader/),
    });
  });

  it('computes', () => {
    expect(valueFrom('elementwise')).toEqual(Float32Array.from({ length: 1000 }, (_, i) => 2 * i + 1));
  });

  it('keeps the bits of what it copies', () => {
    expect(valueFrom('bits')).toEqual([0x7fc00001, 0x80000000, 0xff800000]);
  });

  it('updates donated inputs in place', () => {
    expect(valueFrom('donation')).toEqual({ same: true, values: [0.25, 1.25, 2.25] });
  });

  it('runs chains through the arena', () => {
    expect(valueFrom('arena')).toEqual([[5], [4], [5]]);
  });

  it('keeps memory flat', () => {
    const seen = valueFrom('flatMemory') as number[][];
    expect(seen).toEqual([seen[0], seen[0], seen[0]]);
  });

  it('names the kernel that does not compile', () => {
    expect(valueFrom('compileError')).toMatch(
      /^EngineError: \[webgpu\] kernel broken_one does not compile: [\s\S]*nonsense/,
    );
  });

  it('throws an error of the device at the reads that it spoils', () => {
    const told = expect.stringMatching(/^EngineError: \[webgpu\] the device reported an error: /);
    expect(valueFrom('deviceError')).toEqual({ read: told, derived: told, before: [3], after: 'no error' });
  });

  it('rejects what was pending when the device is lost', () => {
    const lost = expect.stringMatching(/^DeviceLostError: \[webgpu\] the device was lost: /);
    expect(valueFrom('loss')).toEqual({ lost, reading: lost, later: lost });
  });

  it('does not choose a software adapter by itself', () => {
    expect(valueFrom('auto')).toMatchObject({
      engine: 'wasm',
      why: expect.stringMatching(/^auto: webgpu: .*only a software adapter: .*swiftshader.*WebAssembly/),
    });
  });

  it('leaves nothing unsaid in the console', () => {
    // Chromium itself warns when a shader does not compile.
    expect(run.complaints.filter((text) => !/nonsense|broken_one/.test(text))).toEqual([]);
  });
});
