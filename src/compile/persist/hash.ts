/** Two 32-bit hashes of words, to notice damage. Not proof against an adversary: whoever may write to a cache is trusted. */
export function checksum(words: Uint32Array): [number, number] {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    a = Math.imul(a ^ word, 0x01000193);
    a ^= a >>> 15;
    b = Math.imul(b + word, 0xc2b2ae35);
    b ^= b >>> 13;
  }
  return [(a ^ words.length) >>> 0, b >>> 0];
}

/** A name of 32 hexadecimal digits for a text. Texts of one name are told apart by the text itself. */
export function nameOf(text: string): string {
  const words = new Uint32Array(text.length);
  for (let i = 0; i < text.length; i++) words[i] = text.charCodeAt(i);
  const digits = [...checksum(words), ...checksum(words.reverse())].map((part) => part.toString(16).padStart(8, '0'));
  return digits.join('');
}

/** Words of a head that has nothing else. */
export const HEAD_WORDS = 4;

/** Writes the head of a record into its first words: magic, its length in bytes, what else its head has, the checksum of all that follows. */
export function seal(bytes: Uint8Array<ArrayBuffer>, magic: number, ...more: number[]): void {
  const words = new Uint32Array(bytes.buffer);
  words.set([magic, bytes.length, ...more, ...checksum(words.subarray(HEAD_WORDS + more.length))]);
}

/** A copy of a record, aligned and apart from whatever buffer it came in, and the `more` words of its head; null where it is damaged. */
export function unsealed(bytes: Uint8Array, magic: number, more = 0): { bytes: Uint8Array; head: number[] } | null {
  const headWords = HEAD_WORDS + more;
  if (bytes.length < headWords * 4 || bytes.length % 4 !== 0) return null;
  const own = new Uint8Array(bytes);
  const words = new Uint32Array(own.buffer);
  const sums = checksum(words.subarray(headWords));
  const isWhole = words[0] === magic && words[1] === own.length;
  if (!isWhole || words[2 + more] !== sums[0] || words[3 + more] !== sums[1]) return null;
  return { bytes: own, head: [...words.subarray(2, 2 + more)] };
}
