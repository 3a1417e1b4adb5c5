/** The search alone: candidates are made up, and so is the time. */
import { describe, expect, it } from 'vitest';
import { type Candidate, type SearchOptions, search } from '../../src/engine/search.js';
import { agreesOver } from '../../src/engine/webgpu/agreement.js';

interface Script {
  readonly name: string;
  /** Milliseconds of each measurement in turn, the last of them from then on. */
  readonly ms: readonly number[];
  readonly output?: number;
  readonly breaks?: 'make' | 'outputs' | 'time';
}

/** A machine on which candidates take the time that their script says, and nothing else takes any. */
class Machine {
  clock = 0;
  readonly made: string[] = [];
  readonly timed: string[] = [];

  candidate({ name, ms, output = 1, breaks }: Script): Candidate {
    let at = 0;
    const fail = (when: Script['breaks']): void => {
      if (breaks === when) throw new Error(`${name} breaks`);
    };
    return {
      name,
      make: async () => {
        this.made.push(name);
        fail('make');
        return {
          time: async () => {
            fail('time');
            this.timed.push(name);
            const taken = ms[Math.min(at++, ms.length - 1)]!;
            this.clock += taken;
            return taken;
          },
          outputs: async () => {
            fail('outputs');
            return [Float32Array.of(1, output)];
          },
        };
      },
    };
  }

  search(scripts: readonly Script[], options: Partial<SearchOptions> = {}) {
    return search(
      scripts.map((script) => this.candidate(script)),
      { deadline: Infinity, now: () => this.clock, agrees: agreesOver(64), ...options },
    );
  }
}

const outcomes = (trials: readonly { schedule: string; outcome: string }[]): string[] =>
  trials.map(({ schedule, outcome }) => `${schedule} ${outcome}`);

describe('the search', () => {
  it('takes the fastest candidate, by times in alternation with the heuristic', async () => {
    const machine = new Machine();
    const found = await machine.search([
      { name: 'heuristic', ms: [10] },
      { name: 'slow', ms: [20] },
      { name: 'fast', ms: [5] },
      { name: 'faster', ms: [4] },
    ]);
    expect(found).toMatchObject({ best: 'faster', complete: true });
    expect(found.trials).toEqual([
      { schedule: 'heuristic', ms: 10, heuristicMs: 10, outcome: 'measured' },
      { schedule: 'slow', ms: 20, heuristicMs: 10, outcome: 'measured' },
      { schedule: 'fast', ms: 5, heuristicMs: 10, outcome: 'measured' },
      { schedule: 'faster', ms: 4, heuristicMs: 10, outcome: 'measured' },
    ]);
    const slow = machine.timed.indexOf('slow');
    expect(machine.timed.slice(slow - 1, slow + 4)).toEqual(['heuristic', 'slow', 'slow', 'heuristic', 'heuristic']);
  });

  it('compares times of one moment: a machine that slows down makes no candidate worse', async () => {
    // The heuristic alone has the machine for itself.
    const found = await new Machine().search([
      { name: 'heuristic', ms: [10, 10, 10, 10, 10, 40] },
      { name: 'fast', ms: [20] },
    ]);
    expect(found.best).toBe('fast');
  });

  it('stays with the heuristic where a candidate is faster only because it was held up less often', async () => {
    const found = await new Machine().search([
      { name: 'heuristic', ms: [10, 10, 10, 10, 10, 10, 40, 40, 40, 40, 40, 10, 40] },
      { name: 'slow', ms: [20] },
    ]);
    expect(found).toMatchObject({ best: 'heuristic', complete: true });
    expect(found.trials[1]).toEqual({ schedule: 'slow', ms: 20, heuristicMs: 40, outcome: 'measured' });
  });

  it('stays with the heuristic where nothing is faster by more than measurements vary', async () => {
    const found = await new Machine().search([
      { name: 'heuristic', ms: [100] },
      { name: 'alike', ms: [98] },
    ]);
    expect(found).toMatchObject({ best: 'heuristic', complete: true });
  });

  it('measures the best once more, and takes the next where it was only lucky', async () => {
    const found = await new Machine().search([
      { name: 'heuristic', ms: [10] },
      { name: 'lucky', ms: [1, 1, 1, 1, 1, 12] },
      { name: 'fast', ms: [5] },
    ]);
    expect(found.best).toBe('fast');
    expect(found.trials[1]).toEqual({ schedule: 'lucky', ms: 12, heuristicMs: 10, outcome: 'measured' });
  });

  it('rejects and counts what computes something else, is not a number, or fails', async () => {
    const found = await new Machine().search([
      { name: 'heuristic', ms: [10] },
      { name: 'other', ms: [1], output: 1.001 },
      { name: 'nan', ms: [1], output: NaN },
      { name: 'invalid', ms: [1], breaks: 'make' },
      { name: 'crashing', ms: [1], breaks: 'outputs' },
      { name: 'timeless', ms: [1], breaks: 'time' },
      { name: 'rounding', ms: [5], output: 1 + 2 ** -22 },
    ]);
    expect(found).toMatchObject({ best: 'rounding', complete: true });
    expect(outcomes(found.trials)).toEqual([
      'heuristic measured',
      'other wrong',
      'nan wrong',
      'invalid failed',
      'crashing failed',
      'timeless failed',
      'rounding measured',
    ]);
  });

  it.each(['make', 'outputs', 'time'] as const)('rejects where the heuristic itself breaks (%s)', async (breaks) => {
    const scripts: Script[] = [
      { name: 'heuristic', ms: [1], breaks },
      { name: 'fast', ms: [1] },
    ];
    await expect(new Machine().search(scripts)).rejects.toThrow('heuristic breaks');
  });

  it('does not take the end of the device for a fault of the candidates', async () => {
    const machine = new Machine();
    const heuristic = machine.candidate({ name: 'heuristic', ms: [1] });
    let lost = false;
    const onDevice = (candidate: Candidate): Candidate => ({
      name: candidate.name,
      make: async () => {
        const { time, outputs } = await candidate.make();
        const live = async <T>(work: () => Promise<T>): Promise<T> => {
          if (lost) throw new Error('lost');
          return work();
        };
        return { time: () => live(time), outputs: () => live(outputs) };
      },
    });
    const breaking: Candidate = { name: 'breaking', make: () => Promise.reject(new Error(`${(lost = true)}`)) };
    await expect(
      search([onDevice(heuristic), breaking], { deadline: Infinity, now: () => 0, agrees: () => true }),
    ).rejects.toThrow('lost');
  });

  it('always measures the heuristic, and stops at the deadline', async () => {
    const scripts = [
      { name: 'heuristic', ms: [10] },
      { name: 'a', ms: [12] },
      { name: 'b', ms: [8] },
      { name: 'c', ms: [1] },
    ];
    const late = await new Machine().search(scripts, { deadline: 0 });
    expect(late).toMatchObject({ best: 'heuristic', complete: false });
    expect(late.trials).toEqual([{ schedule: 'heuristic', ms: 10, heuristicMs: 10, outcome: 'measured' }]);

    const machine = new Machine();
    // 200 are set aside to confirm the best: five of its own, five against a, four against b.
    const deadline = 50 + 5 * 22 + 3 * 18 + 1 + 200;
    const cut = await machine.search(scripts, { deadline });
    expect(machine.timed.filter((name) => name === 'b')).toHaveLength(4 + 10);
    expect(machine.clock).toBeLessThan(deadline);
    expect(cut).toMatchObject({ best: 'b', complete: false });
    expect(outcomes(cut.trials)).toEqual(['heuristic measured', 'a measured', 'b measured']);
    expect(machine.made).toEqual(['heuristic', 'a', 'b', 'b']);

    // The next search goes on where that one stopped, and remembers.
    const next = new Machine();
    const rest = await next.search(scripts, { known: cut.trials });
    expect(rest).toMatchObject({ best: 'c', complete: true });
    expect(next.timed.includes('a')).toBe(false);
    expect(rest.trials.map(({ schedule }) => schedule)).toEqual(['heuristic', 'a', 'b', 'c']);
  });

  it('gives what is much slower one measurement where time is short, and all of them where it is not', async () => {
    const scripts = [
      { name: 'heuristic', ms: [10] },
      { name: 'hopeless', ms: [30] },
    ];
    const count = async (deadline: number): Promise<number> => {
      const machine = new Machine();
      await machine.search(scripts, { deadline });
      return machine.timed.filter((name) => name === 'hopeless').length;
    };
    expect(await count(1e9)).toBe(1);
    expect(await count(Infinity)).toBe(5);
  });
});

describe('agreement', () => {
  const agrees = (k: number, found: readonly number[], expected: readonly number[]): boolean =>
    agreesOver(k)([Float32Array.from(found)], [Float32Array.from(expected)]);

  it('allows for floats what another order of k terms changes, by the largest of them', () => {
    const off = 4 * 2 ** -23 * 16;
    expect(agrees(256, [1, 8 + 8 * off * 0.99], [1, 8])).toBe(true);
    expect(agrees(256, [1 + 8 * off * 0.99, 8], [1, 8])).toBe(true);
    expect(agrees(256, [1, 8 + 8 * off * 1.01], [1, 8])).toBe(false);
    expect(agrees(16, [1, 8 + 8 * off * 0.99], [1, 8])).toBe(false);
  });

  it('allows nothing for integers', () => {
    expect(agreesOver(1e6)([Int32Array.of(1, 2)], [Int32Array.of(1, 2)])).toBe(true);
    expect(agreesOver(1e6)([Int32Array.of(1, 3)], [Int32Array.of(1, 2)])).toBe(false);
    expect(agreesOver(1e6)([Uint32Array.of(2 ** 31)], [Uint32Array.of(2 ** 31 + 1)])).toBe(false);
  });

  it('has NaN and infinities where they were expected, and nowhere else', () => {
    expect(agrees(4, [NaN, Infinity, 1], [NaN, Infinity, 1])).toBe(true);
    for (const wrong of [NaN, Infinity, -Infinity]) expect(agrees(4, [wrong, 1], [1, 1])).toBe(false);
    expect(agrees(4, [1, 1], [NaN, 1])).toBe(false);
    expect(agrees(4, [1e38, 1], [Infinity, 1])).toBe(false);
    expect(agrees(4, [-Infinity, 1], [Infinity, 1])).toBe(false);
  });

  it('wants all outputs, whole', () => {
    expect(agreesOver(4)([], [Float32Array.of(1)])).toBe(false);
    expect(agrees(4, [1], [1, 1])).toBe(false);
  });
});
