import { performance } from 'node:perf_hooks';
import { cacheStats, realize, tensor } from 'tiller';
import { median } from '../measure.js';
import type { SoloCase } from './case.js';
import { chain, chainInputs } from './overheadChain.js';

const REALIZATIONS = 10_000;
/** Of `--seconds`, which are meant for one side of a quicker benchmark. */
const TIMES_SECONDS = 20;
/** Not 4 x 4, which overheadChain has made kernels for. */
const SIZE = 5;

export const cacheHit: SoloCase = {
  kind: 'solo',
  name: 'cacheHit',
  what: `building and realizing the chain of overheadChain (${SIZE} x ${SIZE}) without compile, up to 10,000 times: those that find its plan in the cache, and the first`,

  async measure(_, { rounds, seconds }) {
    const [x, w] = chainInputs(SIZE).map(({ data, shape }) => tensor(data, { shape: [...shape] }));
    // The inputs are on the engine, and it has run something.
    await realize(x!.add(1), w!.add(1));
    const hitsBefore = cacheStats().hits;
    const times: number[] = [];
    const busy: number[] = [];
    const deadline = performance.now() + seconds * 1000 * TIMES_SECONDS;
    while (times.length <= (rounds ?? REALIZATIONS) && (times.length < 2 || performance.now() < deadline)) {
      const idle = performance.eventLoopUtilization();
      const start = performance.now();
      const result = chain(x!, w!);
      await realize(result);
      times.push(performance.now() - start);
      busy.push(performance.eventLoopUtilization(idle).active);
      result.dispose();
    }
    x!.dispose();
    w!.dispose();
    const [first, firstBusy] = [times.shift()!, busy.shift()!];
    return {
      ms: median(times),
      min: Math.min(...times),
      samples: times.length,
      detail: {
        firstMs: first,
        firstOverHit: first / median(times),
        hitBusyMs: median(busy),
        firstBusyMs: firstBusy,
        firstOverHitBusy: firstBusy / median(busy),
        cacheHits: cacheStats().hits - hitsBefore,
      },
    };
  },
};
