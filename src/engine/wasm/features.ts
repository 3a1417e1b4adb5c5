import { op, splatI32, type Value, WasmModule } from '../../../kernels/render/wasm/encoder.js';
import type { Platform } from './platform.js';

/** Whether a module with a function of this value compiles here. */
function validates(value: () => Value): boolean {
  const module = new WasmModule();
  module.function('', [], ['v128']).result(value());
  try {
    return WebAssembly.validate(module.bytes());
  } catch {
    return false;
  }
}

const vector = () => splatI32(0);
const fused = () => op('f32x4.relaxed_madd', vector(), vector(), vector());

/** True where WebAssembly has vectors of 128 bits. */
export const hasSimd = (): boolean => typeof WebAssembly === 'object' && validates(vector);

/** What keeps the fused multiply-add of relaxed SIMD from being used; empty where nothing does. */
export function whyNoRelaxedSimd(wanted: boolean, { setV8Flag }: Platform): string {
  if (!wanted) return 'switched off';
  if (validates(fused)) return '';
  // Node 20 has it behind a flag, which V8 also takes at run time; workers started later have it too.
  setV8Flag?.('--experimental-wasm-relaxed-simd');
  return validates(fused) ? '' : 'this WebAssembly has none';
}
