import { environmentVariable } from '../engine/environment.js';

/** Set by the build: the version, and a hash of the sources. */
declare const TILLER_BUILD: string | undefined;

/** Names what renders the code; null where tiller runs from its sources, of which nobody knows whether they have changed. */
export const build: string | null = typeof TILLER_BUILD === 'string' ? TILLER_BUILD : null;

/**
 * Where plans are kept between processes: a folder (in browsers the name of a database), null for the usual place, undefined for
 * nowhere. `option` counts before the variable TILLER_CACHE; without either they are kept, but not of unbuilt sources.
 */
export function cachePlace(option: boolean | string | undefined): string | null | undefined {
  const variable = environmentVariable('TILLER_CACHE');
  const named = variable === '0' ? false : variable === '1' ? true : variable;
  const wanted = option ?? named ?? build !== null;
  return wanted === false ? undefined : wanted === true ? null : wanted;
}
