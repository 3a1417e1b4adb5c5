import { parseArgs } from 'node:util';
import { ArgumentError } from '../src/graph/errors.js';

export const ENGINES = ['webgpu', 'wasm', 'reference'] as const;
export const PEERS = ['jax-js', 'tfjs', 'ort', 'torch'] as const;
export type BenchEngine = (typeof ENGINES)[number];
export type PeerName = (typeof PEERS)[number];

export interface BenchOptions {
  readonly help: boolean;
  readonly names: readonly string[];
  readonly engine: BenchEngine | 'auto';
  readonly against: readonly PeerName[];
  readonly json: boolean;
  /** Samples of each side; null: as many as fit into `seconds`. */
  readonly rounds: number | null;
  /** Time for the samples of one side of one benchmark, in seconds. */
  readonly seconds: number;
  /** Threads of engines that have them; null: their default. */
  readonly threads: number | null;
  /** Whether the peers wait for Dawn as tiller does, or as Dawn's binding does by itself. */
  readonly peerPolling: 'gentle' | 'busy';
}

export function helpText(names: readonly string[]): string {
  return [
    'npm run bench -- [NAME…] [options]    without a name: all of them',
    '',
    '  --engine E          auto, webgpu, wasm or reference (default auto)',
    '  --against P,P       peers to measure in the same run: jax-js, tfjs (default both); native ones, as ceilings: ort, torch',
    '  --json              one JSON object per line instead of a table',
    '  --rounds N          samples of each side (default: as many as fit into --seconds, 5 at least)',
    '  --seconds S         time for the samples of one side of one benchmark (default 3)',
    '  --threads N         threads of an engine that has them',
    "  --peer-polling P    how peers wait for Dawn: gentle (as tiller waits) or busy (the binding's own way)",
    '',
    `names: ${names.join(', ')}`,
  ].join('\n');
}

/** Reads the command line; `names` are the benchmarks there are. Throws ArgumentError for what it does not know. */
export function parseOptions(args: readonly string[], names: readonly string[]): BenchOptions {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new ArgumentError(`[bench] unknown benchmark: ${unknown.join(', ')} (expected ${names.join(', ')})`);
  }
  const against = values.against === undefined ? ['jax-js', 'tfjs'] : values.against.split(',').filter(Boolean);
  return {
    help: values.help ?? false,
    names: positionals.length > 0 ? [...new Set(positionals)] : names,
    engine: oneOf('engine', values.engine ?? 'auto', [...ENGINES, 'auto'] as const),
    against: [...new Set(against.map((name) => oneOf('against', name, PEERS)))],
    json: values.json ?? false,
    rounds: values.rounds === undefined ? null : whole('rounds', values.rounds),
    seconds: values.seconds === undefined ? 3 : positive('seconds', values.seconds),
    threads: values.threads === undefined ? null : whole('threads', values.threads),
    peerPolling: oneOf('peer-polling', values['peer-polling'] ?? 'gentle', ['gentle', 'busy'] as const),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        engine: { type: 'string' },
        against: { type: 'string' },
        json: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        threads: { type: 'string' },
        'peer-polling': { type: 'string' },
      },
    });
  } catch (error) {
    throw new ArgumentError(`[bench] ${error instanceof Error ? error.message : String(error)} (see --help)`);
  }
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw new ArgumentError(`[bench] --${option} ${value} (expected ${allowed.join(', ')})`);
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new ArgumentError(`[bench] --${option} ${text} (expected a positive number)`);
}

function whole(option: string, text: string): number {
  const value = positive(option, text);
  if (Number.isInteger(value)) return value;
  throw new ArgumentError(`[bench] --${option} ${text} (expected a whole number)`);
}
