import { InternalError, type Node, type Prim, showShape, sizeOf, type TypedArray } from '../../graph/index.js';
import { contraction } from './contraction.js';
import { elementwise } from './elementwise.js';
import type { Evaluate, Evaluators } from './evaluator.js';
import { indexing } from './indexing.js';
import { markers } from './markers.js';
import { movement } from './movement.js';
import { reductions } from './reduce.js';
import { routines } from './routine.js';
import { scans } from './scan.js';
import { sources } from './sources.js';

const EVALUATORS: Evaluators = {
  ...sources,
  ...elementwise,
  ...movement,
  ...reductions,
  ...contraction,
  ...indexing,
  ...scans,
  ...routines,
  ...markers,
};

/** The value of one node, given those of its inputs. */
export const evaluateNode: Evaluate<Prim> = (node, inputs) => (EVALUATORS[node.prim] as Evaluate<Prim>)(node, inputs);

interface Step {
  readonly node: Node;
  /** Where its value goes among the values of a run. */
  readonly place: number;
  readonly inputs: readonly number[];
  /** Values that nothing reads after this step. */
  readonly last: number[];
}

/** A graph made ready to be evaluated node by node; a value is let go after its last use. */
export class Interpreter {
  readonly #given: readonly Node[];
  readonly #steps: readonly Step[];
  readonly #outputs: readonly number[];

  /** `nodes` come inputs before users; the values of the `given` ones are handed to each run. */
  constructor(nodes: readonly Node[], given: readonly Node[], outputs: readonly Node[]) {
    const places = new Map<Node, number>(given.map((node, i) => [node, i]));
    const placeOf = (node: Node): number => {
      const place = places.get(node);
      if (place === undefined) throw new InternalError(`[reference] node ${node.id} is not listed before it is used`);
      return place;
    };
    const steps: Step[] = [];
    for (const node of nodes) {
      if (places.has(node)) continue;
      const inputs = node.inputs.map(placeOf);
      steps.push({ node, place: places.size, inputs, last: [] });
      places.set(node, places.size);
    }
    this.#given = given;
    this.#steps = steps;
    this.#outputs = outputs.map(placeOf);

    const needed = new Set(this.#outputs);
    for (const { inputs, place, last } of [...steps].reverse()) {
      for (const value of [...inputs, place]) {
        if (needed.has(value)) continue;
        needed.add(value);
        last.push(value);
      }
    }
  }

  /** The values of the outputs, given those of the given nodes. Outputs may share memory with inputs; nothing is overwritten. */
  run(given: readonly TypedArray[]): TypedArray[] {
    this.#given.forEach((node, i) => {
      if (given[i]?.length === sizeOf(node.shape)) return;
      const expected = `${sizeOf(node.shape)} for ${node.dtype}${showShape(node.shape)}`;
      throw new InternalError(`[reference] input ${i} has ${given[i]?.length} elements (expected ${expected})`);
    });
    const values: (TypedArray | undefined)[] = [...given];
    for (const { node, place, inputs, last } of this.#steps) {
      values[place] = evaluateNode(
        node,
        inputs.map((input) => values[input]!),
      );
      for (const unused of last) values[unused] = undefined;
    }
    return this.#outputs.map((place) => values[place]!);
  }
}
