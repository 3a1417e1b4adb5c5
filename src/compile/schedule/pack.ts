import { sizeOf } from '../../graph/index.js';
import type { Cluster } from './cluster.js';

/** A kernel that reads more than this is a launch of its own: it has work enough, and waiting would keep its inputs alive. */
const MAX_PACKED_ELEMENTS = 1 << 20;

/** What packing needs to know of one kernel: the storage that it reads and that it writes. */
export interface Traffic {
  readonly cluster: Cluster;
  readonly reads: ReadonlySet<number>;
  readonly writes: ReadonlySet<number>;
}

/**
 * Puts small kernels that do not depend on each other into one launch, as far as bindings allow: the updates of many parameters,
 * the gradients of many biases. Kernels come in execution order; each moves to the last launch that can take it before what it
 * feeds, and before what overwrites an input of it. Returns the launches, as positions in the list.
 */
export function pack(kernels: readonly Traffic[], maxBindings: number): number[][] {
  const launches: { members: number[]; open: boolean }[] = kernels.map((k, i) => ({ members: [i], open: packable(k) }));
  const launchOf = kernels.map((_, i) => i);
  for (let i = kernels.length - 1; i >= 0; i--) {
    if (!launches[i]!.open) continue;
    const k = kernels[i]!;
    let limit = kernels.length;
    for (let j = i + 1; j < kernels.length; j++) if (mustFollow(kernels[j]!, k)) limit = Math.min(limit, launchOf[j]!);
    for (let at = limit - 1; at > i; at--) {
      const target = launches[at]!;
      if (!target.open || target.members.length === 0) continue;
      const members = [i, ...target.members];
      if (bindingsOf(members.map((m) => kernels[m]!)) > maxBindings) continue;
      target.members = members;
      launches[i]!.members = [];
      launchOf[i] = at;
      break;
    }
  }
  return launches.filter((l) => l.members.length > 0).map((l) => l.members);
}

/** Whether a later kernel reads or overwrites what an earlier one writes, or overwrites what it reads. */
function mustFollow(later: Traffic, earlier: Traffic): boolean {
  for (const w of earlier.writes) if (later.reads.has(w) || later.writes.has(w)) return true;
  for (const w of later.writes) if (earlier.reads.has(w)) return true;
  return false;
}

function packable({ cluster }: Traffic): boolean {
  if (cluster.anchor !== null || cluster.routine !== null) return false;
  let elements = 0;
  for (const node of cluster.interior) elements = Math.max(elements, sizeOf(node.shape));
  return elements <= MAX_PACKED_ELEMENTS;
}

function bindingsOf(kernels: readonly Traffic[]): number {
  const bound = new Set<number>();
  for (const k of kernels) for (const s of [...k.reads, ...k.writes]) bound.add(s);
  return bound.size;
}
