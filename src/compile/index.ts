export type { PlanListing } from '../engine/plan-only/index.js';
export {
  cacheStats,
  currentEngine,
  engineInfo,
  type InitOptions,
  initEngine,
  inspect,
  memory,
  plans,
} from './engines.js';
export { inPhase, type Listener, PHASES, type Phase, setProfiler, WAITS, type Wait } from './events.js';
export { showHolders } from './holders.js';
export { moveNode } from './move.js';
export {
  disposeNode,
  peekNode,
  quiet,
  type RealizeOptions,
  readNode,
  realize,
  storageOf,
  withoutValues,
} from './realize.js';
export { Placeholder, Recording } from './replay.js';
export { noteMade, placeOf, recordingSites, siteOf } from './sites.js';
export { hostStorage, Storage } from './storage.js';
