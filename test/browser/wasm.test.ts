import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { describeChromium } from '../setup/environment.js';
import { type ChromiumRun, ISOLATED, runInChromium } from './chromium.js';

describeChromium('the wasm engine in Chromium', () => {
  describe.each([
    ['in a page that is cross-origin isolated', true],
    ['in any other page', false],
  ])('%s', (_, isolated) => {
    const threads = isolated ? 3 : 1;
    let run: ChromiumRun;
    beforeAll(async () => {
      const entry = fileURLToPath(new URL('wasmChecks.ts', import.meta.url));
      run = await runInChromium(entry, isolated ? ISOLATED : {});
    });

    function valueFrom(name: string): unknown {
      const result = run.results[name]!;
      if (!result.ok) throw new Error(`${name} failed in the page: ${result.error}`);
      return result.value;
    }

    it('says what it is', () => {
      expect(valueFrom('info')).toMatchObject({
        name: 'wasm',
        software: true,
        isolated,
        adapter: `WebAssembly SIMD on ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        features: ['simd128', 'relaxed-simd', ...(isolated ? ['shared-memory'] : [])],
        why: expect.stringMatching(
          isolated ? /: the option threads/ : /1 thread: the page is not cross-origin isolated \(served with /,
        ),
      });
    });

    it('starts its workers', () => {
      expect(valueFrom('threads')).toBe(threads);
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

    it('computes in memory that grows', () => {
      expect(valueFrom('growth')).toEqual([10, 5000, 1_000_000, 20_000_000, 10].map((length) => [length, 0]));
    });

    it('keeps memory flat', () => {
      const seen = valueFrom('flatMemory') as number[][];
      expect(seen).toEqual([seen[0], seen[0], seen[0]]);
    });

    it('names the kernel that does not compile', () => {
      expect(valueFrom('compileError')).toMatch(
        /^EngineError: \[wasm\] kernel broken_one does not compile: CompileError/,
      );
    });

    it('names the kernel that traps', () => {
      const error = 'EngineError: [wasm] kernel failing failed: RuntimeError: unreachable';
      expect(valueFrom('trap')).toEqual(Array(5).fill(error));
    });

    it('computes on several threads at once', () => {
      const error = 'EngineError: [wasm] kernel meeting failed: RuntimeError: unreachable';
      expect(valueFrom('meeting')).toEqual(isolated ? ['no error', error, 'no error'] : null);
    });

    it('is what is chosen where there is no GPU', () => {
      expect(valueFrom('auto')).toMatchObject({
        engine: 'wasm',
        why: expect.stringMatching(
          /^auto: webgpu: .*only a software adapter: .*swiftshader.*; WebAssembly computes everywhere; /,
        ),
      });
    });

    it('is destroyed', () => {
      expect(valueFrom('destroyed')).toBe('EngineError: [wasm] the engine was destroyed');
    });

    it('leaves nothing unsaid in the console', () => {
      expect(run.complaints).toEqual([]);
    });
  });
});
