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
