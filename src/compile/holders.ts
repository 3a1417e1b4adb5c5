import type { EngineBuffer } from '../engine/engine.js';
import { OutOfMemoryError, showShape } from '../graph/index.js';
import { placeOf } from './sites.js';
import type { DeviceCell } from './storage.js';

/** Memory of an engine by what holds it. */
export type Holders = ReadonlyMap<EngineBuffer, DeviceCell>;

const MOST_NAMED = 5;

/** Largest first. */
const bySize = (holders: Holders): [EngineBuffer, DeviceCell][] =>
  [...holders].filter(([{ bytes }]) => bytes > 0).sort(([a], [b]) => b.bytes - a.bytes);

/** A line for each of the largest holders. */
export function showHolders(holders: Holders): string {
  const all = bySize(holders);
  const lines = all.slice(0, MOST_NAMED).map(([{ bytes }, cell]) => {
    const site = placeOf(cell);
    return `\n  ${cell.dtype}${showShape(cell.shape)}: ${bytes} bytes${site && `, made at ${site}`}`;
  });
  const rest = all.length - lines.length;
  return lines.join('') + (rest > 0 ? `\n  and ${rest} more` : '');
}

/** The error, saying what holds the memory that was missing. */
export function namingHolders(error: Error, holders: Holders): Error {
  const named = error instanceof OutOfMemoryError ? showHolders(holders) : '';
  if (named === '') return error;
  const hint = named.includes(', made at ') ? '' : ' (TILLER_DEBUG=1 tells where they were made)';
  return new OutOfMemoryError(`${error.message}; the largest that is held${hint}:${named}`, { cause: error });
}
