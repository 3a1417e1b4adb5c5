import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** A package of bench/node_modules. The bundle lies inside bench/. */
export const requirePeer = <T>(name: string): T => require(name) as T;
