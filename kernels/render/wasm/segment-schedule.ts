import { flatten, pointsOf } from '../nest.js';
import { accessesOf, accessWeight, rootsOfStatement, type WasmSegment, weightBelow } from './analysis.js';
import { hasTracked, loopsOf, type SegmentSchedule } from './segment.js';
import type { LoopTuning } from './tuning.js';

/** Nanoseconds of a vector instruction, and of a vector that comes from memory or goes there. */
const INSTRUCTION = 0.07;
const ACCESS = 0.4;
/** Instructions around a loop of vectors: combining chains and lanes, a last vector that is not full. */
const LOOP_OVERHEAD = 16;

/** Cost of all points of a segment in nanoseconds, and of the lanes that it has. */
interface Costs {
  readonly points: number;
  readonly inner: number;
}

function costsOf(segment: WasmSegment): Costs {
  const { flat, indices: ofPoint } = flatten(segment.parallel, 'point');
  const indices = new Map([...(segment.indices ?? []), ...ofPoint]);
  const points = flat.extent;
  const costs = { points: 0, inner: 0 };
  const vectorsOfPoints = Math.ceil(points / 4);
  for (const statement of segment.body) {
    const work = weightBelow(rootsOfStatement(statement)) * INSTRUCTION;
    const accesses = accessesOf(statement);
    const alongPoints = work + accessWeight(accesses, flat, indices) * ACCESS;
    if (statement.kind === 'store') {
      costs.points += vectorsOfPoints * alongPoints;
      costs.inner += points * (work + accesses.length * ACCESS);
      continue;
    }
    const { loops, indices: ofLoops } = loopsOf(statement);
    const v = loops[loops.length - 1];
    const all = pointsOf(statement.vars);
    if (!v || all === 0) continue;
    costs.points += vectorsOfPoints * all * alongPoints;
    const vectors = Math.ceil(v.extent / 4) * (all / v.extent);
    const alongInner = work + accessWeight(accesses, v, new Map([...indices, ...ofLoops])) * ACCESS;
    costs.inner += points * (vectors * alongInner + (all / v.extent) * LOOP_OVERHEAD * INSTRUCTION);
  }
  return costs;
}

/**
 * Vectors of points at a time, where lanes are points: enough to hide the latency of light bodies. Sums of columns take many: memory is
 * then read in longer runs, which is worth more than keeping all sums in registers.
 */
function vectorsOfPoints({ parallel, body }: WasmSegment): number {
  const weight = Math.max(...body.map((statement) => weightBelow(rootsOfStatement(statement))));
  const reduces = body.some(({ kind }) => kind === 'reduce');
  let vectors = weight > 60 ? 1 : weight > 20 ? 2 : reduces && weight <= 4 && !body.some(hasTracked) ? 16 : 4;
  // A few points are spread over many tasks.
  while (vectors > 1 && reduces && pointsOf(parallel) < 4 * vectors * 16) vectors /= 2;
  return vectors;
}

export function chooseSchedule(segment: WasmSegment, tuning: LoopTuning): SegmentSchedule {
  const points = pointsOf(segment.parallel);
  const costs = costsOf(segment);
  const loops = segment.body.some(({ kind }) => kind !== 'store');
  const cheaper = costs.inner < costs.points ? 'inner' : 'points';
  const lanes = !loops ? 'points' : tuning.lanes === 'cheaper' ? cheaper : tuning.lanes;
  const vectors = lanes === 'points' ? vectorsOfPoints(segment) : 1;
  const unit = lanes === 'points' ? 4 * vectors : 1;
  // Something has to be done at each point, if only to look at it.
  const cost = Math.max(costs[lanes] / points, 1);
  const wanted = Math.max(1, Math.round(tuning.taskCost / cost / unit)) * unit;
  const tasks = Math.ceil(points / wanted);
  const pointsPerTask = Math.ceil(points / tasks / unit) * unit;
  return { lanes, vectors, pointsPerTask, tasks: Math.ceil(points / pointsPerTask), taskCost: cost * pointsPerTask };
}
