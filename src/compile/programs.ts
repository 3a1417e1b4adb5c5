import type { Engine, Program } from '../engine/engine.js';
import { type Node, topologicalOrder } from '../graph/index.js';
import { simplify } from '../graph/simplify/index.js';
import { buildPlan } from './plan/build.js';
import { checkBytes } from './plan/limits.js';
import { type Snapshot, withoutData } from './snapshot.js';

/** Programs kept; the least recently used goes first. */
const MAX_PROGRAMS = 512;

export interface CacheStats {
  hits: number;
  misses: number;
}

/** Prepared programs by structure, compared in full. */
export class ProgramCache {
  private readonly programs = new Map<string, Program | Promise<Program>>();
  readonly stats: CacheStats = { hits: 0, misses: 0 };

  constructor(private readonly engine: Engine) {}

  get(snap: Snapshot, donated: readonly boolean[]): Program | Promise<Program> {
    const key = `${donated.map((d) => (d ? 1 : 0)).join('')}|${snap.key}`;
    const found = this.programs.get(key);
    if (found !== undefined) {
      this.stats.hits++;
      this.programs.delete(key);
      this.programs.set(key, found);
      return found;
    }
    this.stats.misses++;
    const prepared = this.prepare(snap, donated);
    this.programs.set(key, prepared);
    prepared.then(
      (program) => {
        if (this.programs.get(key) === prepared) this.programs.set(key, program);
      },
      () => {
        if (this.programs.get(key) === prepared) this.programs.delete(key);
      },
    );
    if (this.programs.size > MAX_PROGRAMS) this.programs.delete(this.programs.keys().next().value!);
    return prepared;
  }

  private async prepare(snap: Snapshot, donated: readonly boolean[]): Promise<Program> {
    const graph = withoutData(snap);
    const { engine } = this;
    if (engine.kind === 'kernel') return engine.prepare(buildPlan({ ...graph, donated }, engine.capabilities));
    const outputs = simplify(graph.roots);
    const nodes = topologicalOrder(outputs);
    for (const node of nodes) checkBytes(node, engine.capabilities.maxBufferBytes);
    const leafOf = new Map<unknown, Node<'leaf'>>();
    const scalarOf = new Map<unknown, Node<'scalar'>>();
    for (const node of nodes) {
      if (node.prim === 'leaf') leafOf.set((node as Node<'leaf'>).attrs.source, node as Node<'leaf'>);
      if (node.prim === 'scalar') scalarOf.set((node as Node<'scalar'>).attrs.source, node as Node<'scalar'>);
    }
    const inputs = graph.inputs.map((s) => leafOf.get(s) ?? unusedLeaf(graph.roots, s));
    const scalars = graph.scalars.map((s) => scalarOf.get(s) ?? unusedScalar(graph.roots, s));
    return engine.prepareGraph({ nodes, inputs, scalars, outputs });
  }
}

/** A source that simplification removed keeps its position: inputs are passed by number. */
function unusedLeaf(roots: readonly Node[], source: unknown): Node<'leaf'> {
  return topologicalOrder(roots).find(
    (n) => n.prim === 'leaf' && (n as Node<'leaf'>).attrs.source === source,
  ) as Node<'leaf'>;
}

function unusedScalar(roots: readonly Node[], source: unknown): Node<'scalar'> {
  return topologicalOrder(roots).find(
    (n) => n.prim === 'scalar' && (n as Node<'scalar'>).attrs.source === source,
  ) as Node<'scalar'>;
}
