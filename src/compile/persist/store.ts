/** Where records are kept between processes. Whatever goes wrong in it costs a plan, never a result. */
export interface RecordStore {
  /** The bytes of a name; null where there are none. */
  read(name: string): Promise<Uint8Array | null>;
  /** Keeps bytes, and forgets the records that were not used for longest where there are too many. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Bytes that all records of a store may take together. */
export const MOST_BYTES = 64 * 2 ** 20;
/** A record that was used within this time is not marked as used again. */
export const MARK_AFTER_MS = 3_600_000;

/** The names to forget, the least recently used first, so that at most `most` bytes stay. */
export function leastUsed(
  records: readonly { readonly name: string; readonly bytes: number; readonly used: number }[],
  most: number,
): string[] {
  let total = records.reduce((sum, { bytes }) => sum + bytes, 0);
  const names: string[] = [];
  for (const { name, bytes } of [...records].sort((a, b) => a.used - b.used)) {
    if (total <= most) break;
    names.push(name);
    total -= bytes;
  }
  return names;
}
