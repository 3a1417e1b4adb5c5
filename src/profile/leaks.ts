import { inspect, placeOf, recordingSites, siteOf } from '../compile/index.js';
import { ArgumentError, showShape } from '../graph/index.js';

/** Values that one place in the program made and that still hold memory of the engine. */
export interface Leak {
  /** The calls that made them, innermost first, without the library's own. */
  readonly site: string;
  readonly count: number;
  readonly bytes: number;
  /** Milliseconds since the oldest was made. */
  readonly ageMs: number;
  /** What they are, e.g. `f32[128, 784]`, each once. */
  readonly tensors: readonly string[];
}

export function findLeaks(): Leak[] {
  if (!recordingSites()) {
    throw new ArgumentError(
      '[leaks] nobody records where tensors are made (expected TILLER_DEBUG=1, or await tl.init({ debug: true }))',
    );
  }
  const groups = new Map<string, { count: number; bytes: number; at: number; tensors: Set<string> }>();
  for (const [buffer, cell] of inspect().holders) {
    const site = siteOf(cell);
    // What was made before recording began has no place, and what was collected is about to be freed.
    if (site === undefined || cell.owner?.deref() === undefined) continue;
    const place = placeOf(cell);
    const group = groups.get(place) ?? { count: 0, bytes: 0, at: site.at, tensors: new Set() };
    groups.set(place, group);
    group.count++;
    group.bytes += buffer.bytes;
    group.at = Math.min(group.at, site.at);
    group.tensors.add(`${cell.dtype}${showShape(cell.shape)}`);
  }
  return [...groups]
    .sort(([, a], [, b]) => a.at - b.at)
    .map(([site, { at, tensors, ...rest }]) => ({
      site,
      ...rest,
      ageMs: performance.now() - at,
      tensors: [...tensors],
    }));
}
