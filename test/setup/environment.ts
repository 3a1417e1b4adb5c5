/**
 * What this machine offers to the tests: a WebGPU adapter in Node (Dawn) and Chromium. vitest.config.ts looks for them
 * once and hands on what it found.
 *
 * Where something is absent, its suites are skipped with a reason that `npm test` repeats at its end; in CI and under
 * TILLER_PROVISION=1 they fail instead, because there its absence is a fault of the set-up.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import { isOn } from '../../scripts/machine.mjs';

/** True where a missing adapter or browser is a failure, not a reason to skip. */
const mustHaveEverything = isOn(process.env.CI) || isOn(process.env.TILLER_PROVISION);

const webgpuMissing = process.env.TILLER_WEBGPU_MISSING || null;

/** True if Dawn gives an adapter in Node. */
export const webgpuAvailable: boolean = webgpuMissing === null;

/** The Chromium that browser tests start, or null. */
export const chromiumPath: string | null = process.env.TILLER_CHROMIUM || null;

/** Flags that give headless Chromium a WebGPU adapter where there is no GPU. */
export const chromiumWebGPUFlags: readonly string[] = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
];

/** A `describe` that needs a WebGPU adapter in Node. */
export function describeWebGPU(name: string, body: () => void): void {
  describeUnless(webgpuMissing, name, body);
}

/** A `describe` that needs Chromium. */
export function describeChromium(name: string, body: () => void): void {
  describeUnless(chromiumPath === null ? 'no chromium on PATH' : null, name, body);
}

/**
 * A `describe` that needs a file or folder which a checkout may lack. Its absence is never a failure, not even in CI:
 * a clean clone does not have it.
 */
export function describeWithPath(path: string, name: string, body: () => void): void {
  if (existsSync(path)) describe(name, body);
  else describeSkipped(`${path} is absent`, false, name, body);
}

function describeUnless(missing: string | null, name: string, body: () => void): void {
  if (missing === null) {
    describe(name, body);
  } else if (mustHaveEverything) {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(missing);
      });
    });
  } else {
    describeSkipped(missing, true, name, body);
  }
}

function describeSkipped(reason: string, provisionHelps: boolean, name: string, body: () => void): void {
  const record = process.env.TILLER_SKIP_RECORD;
  if (record) appendFileSync(record, `${JSON.stringify({ reason, provisionHelps, suite: name })}\n`);
  describe.skip(`${name} (skipped: ${reason})`, body);
}
