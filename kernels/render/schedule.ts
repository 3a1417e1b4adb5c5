import type { Index, IndexVar, LoopKernel, LoopStmt, ReduceStmt, Segment, Stmt } from '../ir.js';
import { type Affine, affine, split } from './affine.js';
import { flatten, indicesBelow, joinLoops, pointsOf } from './nest.js';
import { loadsBelow, rootsOf } from './uses.js';
import type { Subgroups } from './wgsl-subgroups.js';

/** What a schedule depends on, of an engine's capabilities. */
export interface RenderCapabilities {
  /** True where the work runs on the CPU. */
  readonly software: boolean;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupMemoryBytes: number;
  readonly maxWorkgroupsPerDimension: number;
  /** Subgroups that kernels may count on, where there are any. */
  readonly fixedSubgroups?: Subgroups;
}

/** How the parallel points of one segment map to threads. */
export interface SegmentSchedule {
  /**
   * 1: a thread for each point (or each four, see `vector`). Otherwise the workgroup's size: all its threads share a point, reductions
   * and loops are strided over them and combined in a fixed order in workgroup memory.
   */
  readonly lanes: number;
  /**
   * Which variable is taken four values at a time: the innermost parallel one (the number of points must be a multiple of four; no
   * argmax or argmin), or the innermost of each reduction and loop that holds whole fours.
   */
  readonly vector: 'none' | 'parallel' | 'inner';
}

/** How a loop kernel is spread over workgroups; its results do not depend on it but for the order of sums and products. */
export interface LoopSchedule {
  readonly workgroupSize: number;
  /** One for each segment. */
  readonly segments: readonly SegmentSchedule[];
  /** Threads that share a point combine their results by shuffles in subgroups of this size, which divides the workgroup's. */
  readonly subgroups?: Subgroups;
}

/** Points of the longest reduction or loop inside of a segment's points. */
const longestInner = (body: readonly Stmt[]): number =>
  Math.max(1, ...body.map((statement) => (statement.kind === 'store' ? 1 : pointsOf(statement.vars))));

/** Chooses a schedule by the shape of the kernel and the kind of adapter. */
export function chooseLoopSchedule(kernel: LoopKernel, capabilities: RenderCapabilities): LoopSchedule {
  const shared = kernel.segments.map((segment) => sharesPoints(segment, capabilities.software));
  const vectors = kernel.segments.map((segment, i) => chooseVector(segment, shared[i]!));
  const size = shared.includes(true)
    ? sharedSize(kernel, vectors, capabilities)
    : ownSize(kernel, vectors, capabilities);
  const arrays = Math.max(1, ...kernel.segments.flatMap((segment, i) => (shared[i] ? segment.body.map(arraysOf) : [])));
  let workgroupSize = Math.min(size, capabilities.maxInvocationsPerWorkgroup);
  while (workgroupSize > 1 && arrays * workgroupSize * 4 > capabilities.maxWorkgroupMemoryBytes) workgroupSize /= 2;
  const segments = vectors.map((vector, i): SegmentSchedule => ({ lanes: shared[i] ? workgroupSize : 1, vector }));
  const { fixedSubgroups: subgroups, software } = capabilities;
  const joins = kernel.segments.some(({ body }, i) => shared[i] && body.some(({ kind }) => kind === 'reduce'));
  const bySubgroups = subgroups !== undefined && !software && joins && workgroupSize % subgroups.size === 0;
  return { workgroupSize, segments, ...(bySubgroups ? { subgroups } : {}) };
}

/**
 * Whether a workgroup should share each point. On a CPU a barrier costs as much as a row, so only where there are too few points to
 * fill the machine; on a GPU wherever rows are long enough to fill a workgroup.
 */
function sharesPoints({ parallel, body }: Segment, software: boolean): boolean {
  const [points, inner] = [pointsOf(parallel), longestInner(body)];
  return software ? points < 64 && inner >= 1024 : inner >= 64 && (points < 16384 || inner >= 256);
}

/** Arrays in workgroup memory that a statement needs where threads share a point: one for each value of each term. */
const arraysOf = (statement: Stmt): number =>
  statement.kind === 'reduce' ? statement.terms.reduce((sum, { fn }) => sum + (fn.startsWith('arg') ? 2 : 1), 0) : 0;

/** Threads that share a point: as many as the longest rows can feed, with a few steps for each. */
function sharedSize({ segments }: LoopKernel, vectors: readonly string[], { software }: RenderCapabilities): number {
  if (software) return 64;
  const steps = Math.max(...segments.map(({ body }, i) => longestInner(body) / (vectors[i] === 'inner' ? 4 : 1)));
  return steps >= 512 ? 256 : steps >= 128 ? 128 : 64;
}

/**
 * Workgroup size where each thread has its own points. A CPU runs workgroups on its cores, so a few must be there for each; beyond that
 * large ones cost least.
 */
function ownSize({ segments }: LoopKernel, vectors: readonly string[], { software }: RenderCapabilities): number {
  if (!software) return 64;
  const threads = segments.reduce((sum, { parallel }, i) => {
    return sum + pointsOf(parallel) / (vectors[i] === 'parallel' ? 4 : 1);
  }, 0);
  let size = 4;
  while (size < 256 && size * 32 <= threads) size *= 2;
  return size;
}

type Nest = ReduceStmt | LoopStmt;
const hasArg = (statement: Stmt): boolean =>
  statement.kind === 'reduce' && statement.terms.some(({ fn }) => fn === 'argmax' || fn === 'argmin');

/** Takes four values at a time along the variable that most of the memory is contiguous in. */
function chooseVector(segment: Segment, shared: boolean): SegmentSchedule['vector'] {
  const { parallel, body } = segment;
  const nests = body.filter((statement): statement is Nest => statement.kind !== 'store');
  const points = pointsOf(parallel);
  let parallelScore = 0;
  if (!shared && points % 4 === 0 && points >= 256 && !nests.some(hasArg)) {
    const { flat, indices } = flatten(parallel, 'point');
    for (const statement of body) {
      const weight = statement.kind === 'store' ? 1 : pointsOf(statement.vars);
      parallelScore += weight * contiguity(accessesOf([statement]), flat, indices);
    }
  }
  let innerScore = 0;
  for (const nest of nests) {
    const roots = rootsOf([nest]);
    const stored = nest.kind === 'loop' ? nest.body.map(({ index }) => index) : [];
    const { loops, indices } = joinLoops(nest.vars, [...indicesBelow(roots), ...stored]);
    const inner = loops[loops.length - 1];
    if (!inner || inner.extent % 4 !== 0 || inner.extent < (shared ? 256 : 4) || hasArg(nest)) continue;
    innerScore += pointsOf(nest.vars) * contiguity(accessesOf([nest]), inner, indices);
  }
  if (parallelScore <= 0 && innerScore <= 0) return 'none';
  return parallelScore >= innerScore ? 'parallel' : 'inner';
}

function accessesOf(statements: readonly Stmt[]): Index[] {
  const loads = loadsBelow(rootsOf(statements)).map(({ index }) => index);
  const stores = statements.flatMap((statement) => {
    if (statement.kind === 'reduce') return [];
    return statement.kind === 'store' ? [statement.index] : statement.body.map(({ index }) => index);
  });
  return [...loads, ...stores];
}

/** Accesses that walk contiguous aligned fours along `v`, less those that jump; those that do not move with it do not count. */
function contiguity(accesses: readonly Index[], v: IndexVar, indices: ReadonlyMap<IndexVar, Index>): number {
  const quad: IndexVar = { name: 'quad', extent: Math.max(v.extent / 4, 2) };
  const lane: IndexVar = { name: 'lane', extent: 4 };
  const first: Index = { kind: 'mul', a: { kind: 'var', v: quad }, b: 4 };
  const value: Index = { kind: 'add', a: first, b: { kind: 'var', v: lane } };
  let score = 0;
  for (const access of accesses) {
    const form = affine(access, (other) => (other === v ? value : indices.get(other)));
    const { rest } = split(form, 4);
    const isLane = (term: (typeof rest.terms)[number]) => term.atom.kind === 'var' && term.atom.v === lane;
    const contiguous = rest.terms.length === 1 && isLane(rest.terms[0]!) && rest.terms[0]!.coefficient === 1;
    if (contiguous && rest.constant === 0) score++;
    else if (movesWith(form, lane)) score--;
  }
  return score;
}

const movesWith = (form: Affine, v: IndexVar): boolean =>
  form.terms.some(({ atom }) => (atom.kind === 'var' ? atom.v === v : atom.kind !== 'value' && movesWith(atom.a, v)));
