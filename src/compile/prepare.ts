import { isRoutine } from '../../kernels/routines/operands.js';
import type { Engine, Program } from '../engine/engine.js';
import type { CodedPlan } from '../engine/plan.js';
import type { TuneOptions } from '../engine/tuning.js';
import { type LeafSource, type Node, type ScalarSource, topologicalOrder } from '../graph/index.js';
import { simplify } from '../graph/simplify/index.js';
import { inPhase, waitingFor } from './events.js';
import { loadCode, type OnKernel } from './loadCode.js';
import { buildPlan } from './plan/build.js';
import { checkBytes } from './plan/limits.js';

/** A graph on sources without data; inputs and scalars are passed by position when it runs. */
export interface GraphToPrepare {
  readonly roots: readonly Node[];
  readonly inputs: readonly LeafSource[];
  readonly scalars: readonly ScalarSource[];
  /** For each input, whether the run may overwrite it. */
  readonly donated: readonly boolean[];
}

const hasRoutine = (roots: readonly Node[]): boolean =>
  topologicalOrder(roots, (n) => n.realized !== null).some(isRoutine);

/**
 * Plans a graph for an engine and has the engine prepare it; `keep` is given code that compiled. With `tune` the engine is one that can.
 */
export async function prepareProgram(
  engine: Engine,
  graph: GraphToPrepare,
  keep: (plan: CodedPlan) => void,
  onKernel?: OnKernel,
  tune?: TuneOptions,
): Promise<Program> {
  if (engine.kind === 'kernel') {
    const routines = hasRoutine(graph.roots)
      ? (await waitingFor('load', import('../../kernels/routines/index.js'))).makeRoutine
      : null;
    const plan = inPhase('plan', () => buildPlan(graph, engine.capabilities, routines));
    const { coder } = engine;
    if (coder === undefined) {
      return waitingFor(
        'compile',
        inPhase('codegen', () => engine.prepare(plan)),
      );
    }
    const coded = tune
      ? await waitingFor('compile', engine.tune!(plan, tune))
      : inPhase('codegen', await waitingFor('load', coder.renderer(plan)));
    const program = await waitingFor(
      'compile',
      inPhase('codegen', () => loadCode(coder, coded, onKernel)),
    );
    inPhase('codegen', () => keep(coded));
    return program;
  }
  const outputs = inPhase('plan', () => simplify(graph.roots));
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
