/** IEEE 754 binary16 in JavaScript, which has no array of it everywhere. */

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** The bits of the f16 nearest to a number (taken as f32): halves to even, overflow to infinity, NaN to one NaN. */
export function halfBits(value: number): number {
  floats[0] = value;
  const bits = words[0]!;
  const magnitude = bits & 0x7fffffff;
  const sign = (bits >>> 16) & 0x8000;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude < 0x38800000) {
    // Below the smallest normal number: adding 1/2 rounds at the distance of the subnormal ones.
    floats[0] = Math.abs(value) + 0.5;
    return sign | (words[0]! - 0x3f000000);
  }
  const rounded = ((magnitude + 0xfff + ((magnitude >>> 13) & 1)) >>> 13) - 0x1c000;
  return sign | Math.min(rounded, 0x7c00);
}

/** The number that 16 bits stand for. */
export function halfValue(bits: number): number {
  const magnitude = bits & 0x7fff;
  const exponent = magnitude >> 10;
  const size =
    exponent === 0
      ? magnitude * 2 ** -24
      : exponent < 31
        ? (1024 + (magnitude & 0x3ff)) * 2 ** (exponent - 25)
        : magnitude === 0x7c00
          ? Number.POSITIVE_INFINITY
          : Number.NaN;
  return bits & 0x8000 ? -size : size;
}
