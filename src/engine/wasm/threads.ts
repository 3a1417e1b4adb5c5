import { ArgumentError } from '../../graph/index.js';
import { environmentVariable } from '../environment.js';
import { MAX_WORKERS } from './control.js';
import type { Platform } from './platform.js';

/** More threads than this have to be asked for. */
const MOST_BY_DEFAULT = 16;

/** How many threads an engine computes on, the calling one included, and why so many. Throws ArgumentError. */
export function threadsFor(asked: number | undefined, platform: Platform): { threads: number; why: string } {
  const variable = environmentVariable('TILLER_THREADS');
  const given = asked ?? (variable === undefined ? undefined : Number(variable));
  const source = asked !== undefined ? 'the option threads' : 'TILLER_THREADS';
  if (given !== undefined && !(Number.isInteger(given) && given >= 1 && given <= MAX_WORKERS + 1)) {
    throw new ArgumentError(
      `[init] ${source} is ${asked ?? variable} (expected an integer from 1 to ${MAX_WORKERS + 1})`,
    );
  }
  const wanted = given ?? Math.min(platform.cores, MOST_BY_DEFAULT);
  if (wanted > 1 && !platform.spawn) return { threads: 1, why: `1 thread: ${platform.whyNoThreads}` };
  const reason = given === undefined ? `${platform.cores} cores` : source;
  return { threads: wanted, why: `${wanted} ${wanted === 1 ? 'thread' : 'threads'}: ${reason}` };
}
