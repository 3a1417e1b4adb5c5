import { FusionMismatch } from '../../../kernels/lower/group.js';
import { type Lowered, lowerGroups } from '../../../kernels/lower/lower.js';
import { sizeOfKernel } from '../../../kernels/lower/size.js';
import type { MakeRoutine } from '../../../kernels/routines/index.js';
import type { Capabilities } from '../../engine/engine.js';
import type { Plan, PlanBuffer, PlanOutput } from '../../engine/plan.js';
import {
  bytesFor,
  type DType,
  InternalError,
  isPrim,
  type LeafSource,
  makeNode,
  type Node,
  type ScalarSource,
  sizeOf,
  wideDType,
} from '../../graph/index.js';
import { simplify } from '../../graph/simplify/index.js';
import type { Cluster } from '../schedule/cluster.js';
import { isSource, operationCost } from '../schedule/cost.js';
import { decompose } from '../schedule/decompose.js';
import { fuse } from '../schedule/fuse.js';
import { legalize } from '../schedule/legalize.js';
import { pack, type Traffic } from '../schedule/pack.js';
import { type Interval, placeInArena } from './arena.js';
import { canShareInPlace } from './donate.js';
import { checkBytes } from './limits.js';

/** A graph to plan: leaves and scalars are known by the identity of their sources. */
export interface GraphToPlan {
  readonly roots: readonly Node[];
  readonly inputs: readonly LeafSource[];
  /** For each input, whether its storage may be overwritten. */
  readonly donated: readonly boolean[];
  readonly scalars: readonly ScalarSource[];
}

/**
 * Simplifies, schedules, lowers and places a graph.
 *
 * @param routines makes the kernels of routines; not needed where the graph has none
 */
export function buildPlan(graph: GraphToPlan, capabilities: Capabilities, routines: MakeRoutine | null = null): Plan {
  const { roots, stored } = legalize(simplified(graph.roots, capabilities.software), capabilities.maxStorageBuffers);
  const computed = asComputedRoots(roots);
  return new Planner(graph, computed, capabilities, routines).build(stored);
}

/** What a decomposition brings is simplified too: it repeats positions and constants. */
function simplified(roots: readonly Node[], software: boolean): Node[] {
  const once = simplify(roots);
  const decomposed = decompose(once, software);
  return decomposed.every((r, i) => r === once[i]) ? once : simplify(decomposed);
}

/** Every root as a computed node of its own: one that is read elsewhere, or listed twice, gets a copy. */
function asComputedRoots(roots: readonly Node[]): Node[] {
  const seen = new Set<Node>();
  return roots.map((root) => {
    const own = isSource(root) || seen.has(root) ? makeNode('alias', [root], {}, root.shape, root.dtype) : root;
    seen.add(own);
    return own;
  });
}

const bytesOf = (x: { readonly shape: readonly number[]; readonly dtype: DType }): number =>
  bytesFor(sizeOf(x.shape), x.dtype);

/** A kernel of more is split: compiling it would take longer than storing what is in its middle, and engines have limits. */
const MAX_EXPRESSIONS = 2000;

/** The storage that a kernel touches, once outputs have taken over donated inputs. */
function trafficOf(cluster: Cluster, { kernel, bindings }: Lowered, aliases: ReadonlyMap<number, number>): Traffic {
  const reads = new Set<number>();
  const writes = new Set<number>();
  kernel.buffers.forEach((spec, i) => {
    const storage = aliases.get(bindings[i]!) ?? bindings[i]!;
    if (spec.access !== 'write') reads.add(storage);
    if (spec.access !== 'read') writes.add(storage);
  });
  return { cluster, reads, writes };
}

class Planner {
  private readonly inputOf: ReadonlyMap<LeafSource, number>;
  private readonly scalarOf: ReadonlyMap<ScalarSource, number>;
  /** Storage numbers: inputs first, then stored nodes as met. */
  private readonly storage = new Map<Node, number>();
  private readonly nodes: (Node | null)[];

  constructor(
    private readonly graph: GraphToPlan,
    private readonly roots: readonly Node[],
    private readonly capabilities: Capabilities,
    private readonly routines: MakeRoutine | null,
  ) {
    this.inputOf = new Map(graph.inputs.map((s, i) => [s, i]));
    this.scalarOf = new Map(graph.scalars.map((s, i) => [s, i]));
    this.nodes = graph.inputs.map(() => null);
  }

  build(forced: Set<Node>): Plan {
    const { clusters, lowered } = this.schedule(forced);
    const aliases = this.donate(clusters, lowered);
    const traffic = clusters.map((cluster, i) => trafficOf(cluster, lowered[i]!, aliases));
    const launches = pack(traffic, this.capabilities.maxStorageBuffers);
    return this.place(
      launches.map((l) =>
        this.lower(
          l.map((i) => clusters[i]!),
          aliases,
        ),
      ),
      aliases,
    );
  }

  /** Schedules until every group can be lowered; what cannot be computed inside a kernel is stored at the next attempt. */
  private schedule(forced: Set<Node>): { clusters: Cluster[]; lowered: Lowered[] } {
    for (;;) {
      const all = fuse(this.roots, { maxBindings: this.capabilities.maxStorageBuffers, forced });
      this.storage.clear();
      this.nodes.length = this.graph.inputs.length;
      for (const k of all) {
        for (const o of k.scratch ? [...k.outputs, k.scratch] : k.outputs) this.storage.set(o, this.nodes.push(o) - 1);
      }
      const clusters = all.filter((k) => k.outputs.some((o) => sizeOf(o.shape) > 0));
      const lowered: Lowered[] = [];
      const refused = new Set<Node>();
      for (const k of clusters) {
        try {
          const made = this.lower([k], new Map());
          lowered.push(made);
          const tooMany = made.bindings.length > this.capabilities.maxStorageBuffers;
          const tooLarge = sizeOfKernel(made.kernel, MAX_EXPRESSIONS) > MAX_EXPRESSIONS;
          if (tooMany || tooLarge) for (const n of this.toSplit(k, forced, tooMany)) refused.add(n);
        } catch (error) {
          if (!(error instanceof FusionMismatch)) throw error;
          if (!forced.has(error.node)) refused.add(error.node);
          else {
            // Storing one node was not enough: nothing that this kernel computes stays inside.
            const inside = [...k.interior].filter((n) => operationCost(n) > 0 && !forced.has(n));
            if (inside.length === 0) throw error;
            for (const n of inside) refused.add(n);
          }
        }
      }
      if (refused.size === 0) return { clusters, lowered };
      for (const node of refused) forced.add(node);
    }
  }

  /**
   * What to store of a kernel that binds too many buffers, or whose code is too long, which the fusion rules could not foresee: they place
   * users first, a view that they took for a way to its base may have been stored since, and an element may be computed at many indices.
   */
  private toSplit(k: Cluster, forced: ReadonlySet<Node>, needed: boolean): Node[] {
    const inside = [...k.interior].filter((n) => !forced.has(n) && !k.outputs.includes(n) && operationCost(n) > 0);
    // Half of what is computed, the part nearest to what is read; where all that is stored already, each output by a kernel of its own.
    if (inside.length > 0) return [inside.sort((a, b) => a.id - b.id)[inside.length >> 1]!];
    const outputs = k.outputs.filter((o) => !forced.has(o));
    if (!needed) return k.outputs.length > 1 ? outputs : [];
    if (outputs.length === 0)
      throw new InternalError(`[plan] a node alone binds more buffers than a kernel may: ${k.outputs[0]!.prim}`);
    return outputs;
  }

  private lower(launch: readonly Cluster[], aliases: ReadonlyMap<number, number>): Lowered {
    const storageOf = (node: Node): number | null => {
      const at = this.storageOf(node);
      return at === null ? null : (aliases.get(at) ?? at);
    };
    return lowerGroups(launch, storageOf, this.routines, this.capabilities.software);
  }

  private storageOf(node: Node): number | null {
    const source = node.realized ?? (isPrim(node, 'leaf') ? node.attrs.source : null);
    if (source === null) return this.storage.get(node) ?? null;
    const at = this.inputOf.get(source);
    if (at === undefined) throw new InternalError(`[plan] leaf ${node.id} is no input of the graph`);
    return at;
  }

  /** Pairs outputs with donated inputs whose storage they can take over: storage of the output -> storage of the input. */
  private donate(clusters: readonly Cluster[], lowered: readonly Lowered[]): Map<number, number> {
    const aliases = new Map<number, number>();
    const lastRead = new Map<number, number>();
    lowered.forEach((l, at) => {
      for (const b of l.bindings) lastRead.set(b, at);
    });
    const writtenAt = new Map<number, number>();
    clusters.forEach((k, at) => {
      for (const o of k.outputs) writtenAt.set(this.storage.get(o)!, at);
    });
    const free = new Set(this.graph.inputs.map((_, i) => i).filter((i) => this.graph.donated[i]));
    for (const inPlace of [true, false]) {
      for (const root of this.roots) {
        const output = this.storage.get(root)!;
        const at = writtenAt.get(output);
        if (at === undefined || aliases.has(output)) continue;
        for (const input of free) {
          if (bytesOf(this.graph.inputs[input]!) !== bytesOf(root)) continue;
          const last = lastRead.get(input) ?? -1;
          const { kernel, bindings } = lowered[at]!;
          const fits =
            last < at
              ? !inPlace
              : last === at &&
                this.graph.inputs[input]!.dtype === root.dtype &&
                canShareInPlace(kernel, bindings.indexOf(input), bindings.indexOf(output));
          if (!fits) continue;
          aliases.set(output, input);
          free.delete(input);
          break;
        }
      }
    }
    return aliases;
  }

  private place(lowered: readonly Lowered[], aliases: ReadonlyMap<number, number>): Plan {
    const { inputs, donated, scalars } = this.graph;
    const most = Math.min(this.capabilities.maxBindingBytes, this.capabilities.maxBufferBytes);
    for (const x of [...inputs, ...this.nodes]) if (x !== null) checkBytes(x, most);
    const outputOf = new Map(this.roots.map((r, i) => [this.storage.get(r)!, i]));
    const first = new Map<number, number>();
    const last = new Map<number, number>();
    lowered.forEach((l, at) => {
      for (const b of l.bindings) {
        if (!first.has(b)) first.set(b, at);
        last.set(b, at);
      }
    });
    const buffers: PlanBuffer[] = inputs.map((s, index) => ({ bytes: bytesOf(s), place: { kind: 'input', index } }));
    const bufferOf = new Map<number, number>(inputs.map((_, i) => [i, i]));
    const intervals: Interval[] = [];
    const inArena: number[] = [];
    for (let s = inputs.length; s < this.nodes.length; s++) {
      if (aliases.has(s)) {
        bufferOf.set(s, aliases.get(s)!);
        continue;
      }
      const output = outputOf.get(s);
      const bytes = bytesOf(this.nodes[s]!);
      if (output !== undefined) {
        bufferOf.set(s, buffers.push({ bytes, place: { kind: 'output', index: output } }) - 1);
      } else if (first.has(s)) {
        intervals.push({ bytes, first: first.get(s)!, last: last.get(s)! });
        inArena.push(s);
      }
    }
    const { offsets, bytes: arenaBytes } = placeInArena(intervals);
    inArena.forEach((s, i) => {
      bufferOf.set(s, buffers.push({ bytes: intervals[i]!.bytes, place: { kind: 'arena', offset: offsets[i]! } }) - 1);
    });
    const outputs: PlanOutput[] = this.roots.map((r) => ({
      shape: r.shape,
      dtype: r.dtype,
      buffer: bufferOf.get(this.storage.get(r)!)!,
    }));
    return {
      kernels: lowered.map((l) => ({
        kernel: l.kernel,
        bindings: l.bindings.map((b) => bufferOf.get(b)!),
        params: l.params.map((p) => this.scalarOf.get(p.attrs.source)!),
      })),
      buffers,
      inputs: inputs.map((s, i) => ({ shape: s.shape, dtype: s.dtype, donated: donated[i]! })),
      scalars: scalars.map((s) => wideDType(s.dtype)),
      outputs,
      arenaBytes,
    };
  }
}
