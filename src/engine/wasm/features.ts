import type { Platform } from './platform.js';

/** A module with one function of type () -> v128 and this body. */
const moduleWith = (...body: number[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
    ...[0x03, 0x02, 0x01, 0x00],
    ...[0x0a, body.length + 4, 0x01, body.length + 2, 0x00, ...body, 0x0b],
  );

/** i32.const 0 i8x16.splat */
const SPLAT = [0x41, 0x00, 0xfd, 0x0f];
const SIMD = moduleWith(...SPLAT);
/** f32x4.relaxed_madd of three of them. */
const RELAXED_SIMD = moduleWith(...SPLAT, ...SPLAT, ...SPLAT, 0xfd, 0x85, 0x02);

const validates = (code: Uint8Array<ArrayBuffer>): boolean => {
  try {
    return WebAssembly.validate(code);
  } catch {
    return false;
  }
};

/** True where WebAssembly has vectors of 128 bits. */
export const hasSimd = (): boolean => typeof WebAssembly === 'object' && validates(SIMD);

/** What keeps the fused multiply-add of relaxed SIMD from being used; empty where nothing does. */
export function whyNoRelaxedSimd(wanted: boolean, { setV8Flag }: Platform): string {
  if (!wanted) return 'switched off';
  if (validates(RELAXED_SIMD)) return '';
  // Node 20 has it behind a flag, which V8 also takes at run time; workers started later have it too.
  setV8Flag?.('--experimental-wasm-relaxed-simd');
  return validates(RELAXED_SIMD) ? '' : 'this WebAssembly has none';
}
