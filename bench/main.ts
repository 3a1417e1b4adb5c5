import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import * as tl from 'tiller';
import { ArgumentError, TillerError } from '../src/graph/errors.js';
import { CASES } from './cases/index.js';
import { compete } from './compete.js';
import { installPeers } from './install.js';
import { type BenchOptions, helpText, type PeerName, parseOptions } from './options.js';
import { prepareVulkan, provideWebGPU } from './peers/dawn.js';
import { jaxjsSide } from './peers/jaxjs.js';
import { ortSide } from './peers/ort.js';
import { ortWebgpuSide } from './peers/ortWebgpu.js';
import { tfjsSide } from './peers/tfjs.js';
import { pythonWithTorch, torchSide } from './peers/torch.js';
import { jsonLine, type Row, summary, table } from './report.js';
import type { Side } from './side.js';
import { solo } from './solo.js';
import { type TillerSide, tillerSides } from './tiller.js';

const NAMES = CASES.map(({ name }) => name);
/** bench/, from bench/.bundle/main.mjs. */
const BENCH = fileURLToPath(new URL('..', import.meta.url));

const TORCH_ABSENT =
  'torch is not measured: no python3 here imports it (in Debian: apt-get install python3-torch libopenblas0-pthread)';

/** Runs the benchmarks of the command line. Sets the exit code: 1 for a failure or results that disagree, 2 for a wrong command line. */
export async function main(args: readonly string[]): Promise<void> {
  let options: BenchOptions;
  try {
    options = parseOptions(args, NAMES);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
    return;
  }
  if (options.help) {
    console.log(helpText(NAMES));
    return;
  }
  try {
    await run(options);
  } catch (error) {
    // tiller's own errors say what to do; others need their stack.
    console.error(error instanceof TillerError ? error.message : error);
    process.exitCode = 1;
  }
}

async function run(options: BenchOptions): Promise<void> {
  // PyTorch is no package of npm.
  if (options.against.some((name) => name !== 'torch')) installPeers(BENCH);
  prepareVulkan();
  const tiller = await tillerSides(options.engine, options.threads);
  const { sides: peers, absent } = await peerSides(options, tiller[0]!);
  try {
    await runAll(options, tiller, peers);
  } finally {
    for (const side of [...tiller, ...peers]) side.close();
  }
  for (const note of absent) console.error(`[bench] ${note}`);
}

async function runAll(options: BenchOptions, tiller: readonly TillerSide[], peers: readonly Side[]): Promise<void> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const benchmark of CASES) {
    if (!options.names.includes(benchmark.name)) continue;
    if (!options.json) console.error(`[bench] ${benchmark.name}`);
    try {
      const found =
        benchmark.kind === 'solo'
          ? await solo(benchmark, tiller, options)
          : await compete(benchmark, tiller, peers, options);
      rows.push(...found);
      if (options.json) for (const row of found) console.log(jsonLine(row));
    } catch (error) {
      // The others are still worth measuring.
      failures.push(`${benchmark.name}: ${error instanceof TillerError ? error.message : inspect(error)}`);
    }
  }
  if (!options.json) {
    console.log(`${tiller[0]!.engine} on ${tiller[0]!.adapter}\n\n${table(rows)}`);
    if (peers.length > 0) console.log(`\nAgainst the best peer, weakest first:\n\n${summary(rows)}`);
  }
  for (const failure of failures) console.error(`[bench] ${failure}`);
  const bad = rows.filter((row) => row.agrees === false || row.failed === true);
  for (const { bench, peer, note, maxError } of bad) {
    console.error(`[bench] ${bench} against ${peer}: ${note ?? `results disagree (error ${maxError})`}`);
  }
  if (bad.length + failures.length > 0) process.exitCode = 1;
}

async function peerSides(options: BenchOptions, tiller: Side): Promise<{ sides: Side[]; absent: string[] }> {
  const sides: Side[] = [];
  const absent: string[] = [];
  if (options.against.length === 0) return { sides, absent };
  const engine = tiller.engine === 'webgpu' ? 'webgpu' : 'wasm';
  const threads = tl.engineInfo().limits.threads ?? options.threads ?? availableParallelism();
  const python = options.against.includes('torch') ? pythonWithTorch() : null;
  if (engine === 'webgpu' && options.against.some((name) => name === 'jax-js' || name === 'tfjs'))
    checkSameAdapter(tiller.adapter, await provideWebGPU(options.peerPolling));
  const makers: Record<PeerName, (() => Promise<Side>) | string> = {
    'jax-js': () => jaxjsSide(engine, tiller.adapter),
    tfjs: () => tfjsSide(engine, tiller.adapter),
    ort: async () => (engine === 'webgpu' ? ortWebgpuSide(tiller.adapter) : ortSide(threads)),
    torch: python === null ? TORCH_ABSENT : () => torchSide(python, BENCH, threads),
  };
  for (const name of options.against) {
    const maker = makers[name];
    if (typeof maker === 'string') absent.push(maker);
    else sides.push(await maker());
  }
  return { sides, absent };
}

/** Both sides must compute on the same adapter. */
function checkSameAdapter(ours: string, theirs: GPUAdapterInfo): void {
  for (const word of [theirs.vendor, theirs.description]) {
    if (!ours.includes(word))
      throw new Error(
        `[bench] the peers' adapter is another one: ${theirs.vendor} ${theirs.description} (tiller's: ${ours})`,
      );
  }
}
