import { UnsupportedError, type WordDType } from '../../src/graph/index.js';
import type { Kernel } from '../ir.js';
import { bitsOf } from './wgsl-values.js';

/** A kernel as an engine launches it. */
export interface RenderedKernel {
  /** WGSL text of a whole module. */
  readonly code: string;
  readonly entryPoint: string;
  /** Zeros where there is nothing to do. */
  readonly workgroups: readonly [number, number, number];
  /**
   * Numbers of the kernel's buffers that are bound, each at the binding of its own number in group 0, all as read_write storage of at
   * least its length. Buffers of length 0 are not bound.
   */
  readonly buffers: readonly number[];
  /** Where the runtime scalars are bound as a uniform; null where the kernel has none. */
  readonly params: ParamsLayout | null;
}

/** One 32-bit word for each param, in order; the size is a multiple of 16 bytes. */
export interface ParamsLayout {
  readonly binding: number;
  readonly bytes: number;
  readonly dtypes: readonly WordDType[];
}

/** What follows from a kernel's signature alone. */
export function signatureOf({ buffers, params }: Kernel): Pick<RenderedKernel, 'buffers' | 'params'> {
  return {
    buffers: buffers.flatMap(({ length }, i) => (length > 0 ? [i] : [])),
    params:
      params.length === 0
        ? null
        : { binding: buffers.length, bytes: Math.ceil(params.length / 4) * 16, dtypes: params },
  };
}

/** The words of the params as the uniform holds them. */
export function packParams(layout: ParamsLayout, values: readonly number[]): Uint32Array {
  const words = new Uint32Array(layout.bytes / 4);
  layout.dtypes.forEach((dtype, i) => {
    words[i] = bitsOf(values[i]!, dtype);
  });
  return words;
}

/** Spreads a number of workgroups over two dimensions of at most `limit`; there may be a few more than asked for. */
export function gridOf(name: string, groups: number, limit: number): readonly [number, number, number] {
  if (groups <= limit) return [groups, groups > 0 ? 1 : 0, groups > 0 ? 1 : 0];
  const y = Math.ceil(groups / limit);
  if (y > limit) {
    throw new UnsupportedError(`[${name}] too many workgroups: ${groups} (at most ${limit * limit})`);
  }
  return [Math.ceil(groups / y), y, 1];
}
