import type { ContractionKernel } from '../ir.js';

/** What one step of k adds to a sum, from an element of each operand. */
export function product({ meet }: ContractionKernel, a: string, b: string): string {
  switch (meet) {
    case 'dot4I8':
      return `dot4I8Packed(${a}, ${b})`;
    case 'dot4U8':
      return `i32(dot4U8Packed(${a}, ${b}))`;
    case undefined:
      return `${a} * ${b}`;
  }
}
