import type { Kernel } from '../../kernels/ir.js';

/** What no code depends on. */
const IGNORED = new Set(['name', 'flops']);

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

/**
 * A text that two kernels share exactly if they are the same but for names: the same tree, with the same parts shared, so that
 * variables and results are known by where they first occur.
 */
export function kernelKey(kernel: Kernel): string {
  const seen = new Map<object, number>();
  const text: string[] = [];
  const write = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) {
      text.push(typeof part === 'number' ? numberText(part) : String(part));
      return;
    }
    const known = seen.get(part);
    if (known !== undefined) {
      text.push(`#${known}`);
      return;
    }
    seen.set(part, seen.size);
    text.push('(');
    for (const [key, value] of Object.entries(part)) {
      if (IGNORED.has(key)) continue;
      text.push(key);
      write(value);
    }
    text.push(')');
  };
  write(kernel);
  return text.join(' ');
}
