import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, HostArray } from '../cases/case.js';
import { ADAM } from '../cases/training.js';
import type { Contender } from '../contender.js';
import type { Side } from '../side.js';
import { type Answer, LineProcess } from './lineProcess.js';
import { settle } from './native.js';

/** Debian's Python first: its package python3-torch is for that one. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** A Python that imports torch; null where there is none. */
export function pythonWithTorch(): string | null {
  const found = PYTHONS.find((python) => spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0);
  return found ?? null;
}

/** PyTorch on the CPU, in a process of its own that runs only in its turns. It times its runs itself. `bench` is the folder bench/. */
export async function torchSide(python: string, bench: string, threads: number): Promise<Side> {
  const process = new LineProcess(python, [join(bench, 'peers/torch.py'), String(threads)], environment(threads));
  const started = await process.answer();
  const folder = mkdtempSync(join(tmpdir(), 'tiller-bench-'));
  return {
    name: 'torch',
    engine: 'cpu',
    adapter: `PyTorch ${started.version} on ${started.threads} ${started.threads === 1 ? 'thread' : 'threads'}, ${started.blas}`,
    toggles: '',
    native: true,
    cannot: (benchmark) => (benchmark.torch === undefined ? 'not written for PyTorch' : null),
    prepare: (benchmark) => prepare(process, folder, benchmark),
    close: () => {
      process.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Debian's torch loads whichever BLAS the system prefers, which may be the slow reference one: OpenBLAS goes first where it is
 * installed. OpenBLAS's own variables, which choose its kernels, are not passed on.
 */
function environment(threads: number): NodeJS.ProcessEnv {
  const passed = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENBLAS_'));
  const fast = openblas();
  return {
    ...Object.fromEntries(passed),
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    ...(fast === null ? {} : { LD_LIBRARY_PATH: [fast, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':') }),
  };
}

/** Debian's folder of OpenBLAS as libblas.so.3. */
function openblas(): string | null {
  const lib = '/usr/lib';
  if (!existsSync(lib)) return null;
  const folders = readdirSync(lib).flatMap((name) =>
    ['openblas-openmp', 'openblas-pthread'].map((kind) => join(lib, name, kind)),
  );
  return folders.find((folder) => existsSync(join(folder, 'libblas.so.3'))) ?? null;
}

async function prepare(process: LineProcess, folder: string, benchmark: Case): Promise<Contender> {
  let files = 0;
  const save = ({ data, shape }: HostArray<Float32Array | Int32Array>) => {
    const file = join(folder, String(files++));
    writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return { file, shape, dtype: data instanceof Float32Array ? 'f32' : 'i32' };
  };
  const send = async (command: Record<string, unknown>): Promise<Answer> => process.ask(command);
  if (benchmark.kind === 'train') {
    const { weights, batches } = benchmark.torch!();
    await send({
      do: 'prepare',
      bench: benchmark.name,
      weights: weights.map(save),
      batches: batches.map(({ images, labels }) => [save(images), save({ data: labels, shape: [labels.length] })]),
      adam: ADAM,
    });
  } else {
    await send({ do: 'prepare', bench: benchmark.name, inputs: benchmark.inputs().map(save) });
  }
  let started = 0;
  let ms = 0;
  return {
    repeatable: true,
    start() {
      started++;
    },
    async finish() {
      const times = started;
      started = 0;
      ms = Number((await send({ do: 'run', times })).ms);
    },
    ownMs: () => ms,
    settle,
    async result() {
      const file = join(folder, 'result');
      await send({ do: 'result', file });
      const bytes = readFileSync(file);
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    },
    dispose() {},
  };
}
