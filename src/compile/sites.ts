import { debugLevel } from '../engine/environment.js';
import { profiler } from './events.js';

/** Where and when something was made. */
export interface Site {
  /** As the engine of the language writes it. */
  readonly stack: string;
  /** Milliseconds since the start of the process. */
  readonly at: number;
}

const sites = new WeakMap<object, Site>();
let recording = debugLevel() >= 1;
export const recordingSites = (): boolean => recording;

/** Begins or stops to record where tensors are made: a stack for each, which debugging alone is worth. */
export function recordSites(on: boolean): void {
  recording = on;
}

/** Records that a thing was made by the calls under way; in `like`'s place where that is known. */
export function noteSite(thing: object, like?: object): void {
  if (!recording) return;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 40;
  sites.set(thing, (like && sites.get(like)) ?? { stack: new Error().stack ?? '', at: performance.now() });
  Error.stackTraceLimit = stackTraceLimit;
}

/** Notes that a tensor was made, on a node. */
export function noteMade(node: object): void {
  noteSite(node);
  profiler()?.made();
}

export const siteOf = (thing: object): Site | undefined => sites.get(thing);

let format: ((site: Site) => string) | null = null;

/** How the place where something was made is told; loaded when recording begins. */
export function formatSitesWith(formatter: (site: Site) => string): void {
  format = formatter;
}

/** Where a thing was made; '' where that is not recorded. */
export function placeOf(thing: object): string {
  const site = sites.get(thing);
  return site === undefined ? '' : (format?.(site) ?? site.stack);
}
