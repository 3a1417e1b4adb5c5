import { expect, it } from 'vitest';
import { ALIGNMENT, Allocator, type Range } from '../../../src/engine/wasm/allocator.js';
import { InternalError } from '../../../src/graph/index.js';

/** A small generator of its own: failures repeat. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

it('hands out aligned ranges that never overlap, and merges what is freed', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = randomFrom(seed);
    const allocator = new Allocator(ALIGNMENT);
    allocator.grow(1 << 16);
    const held = new Map<Range, { address: number; size: number }>();
    let heldBytes = 0;
    for (let step = 0; step < 3000; step++) {
      if (random() < 0.55) {
        const bytes = Math.ceil(2 ** (random() * 14));
        let range = allocator.allocate(bytes);
        if (!range) {
          const before = allocator.end;
          const missing = allocator.missing(bytes);
          expect(missing).toBeGreaterThan(0);
          allocator.grow(missing);
          expect(allocator.end).toBe(before + missing);
          range = allocator.allocate(bytes);
        }
        expect(range).not.toBeNull();
        const { address, size } = range!;
        expect(address % ALIGNMENT).toBe(0);
        expect(size).toBe(Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
        expect(address).toBeGreaterThanOrEqual(ALIGNMENT);
        expect(address + size).toBeLessThanOrEqual(allocator.end);
        const overlaps = [...held.values()].some(
          (other) => address < other.address + other.size && other.address < address + size,
        );
        expect(overlaps).toBe(false);
        held.set(range!, { address, size });
        heldBytes += size;
      } else if (held.size > 0) {
        const [range, seen] = [...held][Math.floor(random() * held.size)]!;
        // Neighbours that came and went have left it alone.
        expect({ address: range.address, size: range.size }).toEqual(seen);
        allocator.free(range);
        held.delete(range);
        heldBytes -= seen.size;
      }
      expect(allocator.freeBytes + heldBytes).toBe(allocator.end - ALIGNMENT);
    }
    for (const range of held.keys()) allocator.free(range);
    // All of it is one range again.
    const all = allocator.end - ALIGNMENT;
    expect(allocator.freeBytes).toBe(all);
    expect(allocator.allocate(all)).toMatchObject({ address: ALIGNMENT, size: all });
  }
});

it('gives out again what was freed last', () => {
  const allocator = new Allocator(ALIGNMENT);
  allocator.grow(1 << 20);
  const ranges = Array.from({ length: 10 }, () => allocator.allocate(5000)!);
  const addresses = [ranges[3]!.address, ranges[6]!.address];
  allocator.free(ranges[6]!);
  allocator.free(ranges[3]!);
  expect([allocator.allocate(5000)!.address, allocator.allocate(5000)!.address]).toEqual(addresses);
});

it('does not grow where a gap fits exactly', () => {
  const allocator = new Allocator(ALIGNMENT);
  allocator.grow(101 * ALIGNMENT);
  const range = allocator.allocate(101 * ALIGNMENT)!;
  expect(allocator.allocate(1)).toBeNull();
  allocator.free(range);
  expect(allocator.allocate(101 * ALIGNMENT - 1)).toMatchObject({ size: 101 * ALIGNMENT });
});

it('refuses to free a range twice, merged or not', () => {
  const allocator = new Allocator(ALIGNMENT);
  allocator.grow(1 << 12);
  const [a, b, c] = [1, 2, 3].map(() => allocator.allocate(64)!);
  allocator.free(a!);
  expect(() => allocator.free(a!)).toThrow(InternalError);
  allocator.free(b!);
  expect(() => allocator.free(b!)).toThrow(InternalError);
  allocator.free(c!);
  expect(() => allocator.free(c!)).toThrow(InternalError);
});

it('reaches 4 GiB', () => {
  const allocator = new Allocator(ALIGNMENT);
  allocator.grow(2 ** 32 - 2 * ALIGNMENT);
  const large = allocator.allocate(2 ** 31)!;
  const rest = allocator.allocate(2 ** 31 - 2 * ALIGNMENT)!;
  expect(rest.address).toBe(2 ** 31 + ALIGNMENT);
  expect(allocator.allocate(1)).toBeNull();
  allocator.free(large);
  expect(allocator.freeBytes).toBe(2 ** 31);
});
