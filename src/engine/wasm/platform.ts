import type { WorkerStart } from './worker.js';
import { workerMain } from './worker.js';

/** A started worker, as far as the engine is concerned. */
export interface WorkerHandle {
  /** Ends it wherever it is. */
  terminate(): void;
  /** Whether it has ended, known without an event; absent where only events tell. */
  hasEnded?(): boolean;
}

/** Starts a worker; `onEnd` is called once it is gone, for whatever reason. */
export type SpawnWorker = (start: WorkerStart, onEnd: (reason: string) => void) => WorkerHandle;

export interface Platform {
  /** Cores that the process may use. */
  readonly cores: number;
  /** Null where there are no workers over shared memory; then `whyNoThreads` says why. */
  readonly spawn: SpawnWorker | null;
  readonly whyNoThreads: string;
  /** Sets a flag of V8, in Node only. */
  readonly setV8Flag: ((flag: string) => void) | null;
}

interface NodeWorker {
  on(event: 'error', listener: (error: unknown) => void): void;
  on(event: 'exit', listener: (code: number) => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodePort {
  postMessage(message: unknown, transfer: readonly unknown[]): void;
  close(): void;
}

interface WorkerThreads {
  readonly Worker: new (source: string, options: object) => NodeWorker;
  readonly MessageChannel: new () => { readonly port1: NodePort; readonly port2: NodePort };
  receiveMessageOnPort(port: NodePort): { message: NodePort } | undefined;
}

interface NodeModules {
  'node:worker_threads': WorkerThreads;
  'node:os': { availableParallelism?(): number; cpus(): unknown[] };
  'node:v8': { setFlagsFromString(flag: string): void };
}

/** This file is also bundled for browsers, so it names Node's modules only at run time. */
function importFromNode<Name extends keyof NodeModules>(name: Name): Promise<NodeModules[Name]> {
  const specifier: string = name;
  return import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
}

/** What the runtime offers to an engine that wants threads. */
export async function findPlatform(): Promise<Platform> {
  // What calls itself Node may lack its modules.
  const node = typeof process !== 'undefined' && process.versions?.node ? await nodePlatform().catch(() => null) : null;
  if (node) return node;
  const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
  const whyNoThreads = whyNoSharedMemory();
  return { cores, spawn: whyNoThreads === '' ? spawnInBrowser : null, whyNoThreads, setV8Flag: null };
}

async function nodePlatform(): Promise<Platform> {
  const [threads, os, v8] = await Promise.all([
    importFromNode('node:worker_threads'),
    importFromNode('node:os'),
    importFromNode('node:v8'),
  ]);
  return {
    cores: os.availableParallelism?.() ?? os.cpus().length,
    spawn: spawnerInNode(threads, `(${workerMain})(require('node:worker_threads').workerData)`),
    whyNoThreads: '',
    setV8Flag: (flag) => v8.setFlagsFromString(flag),
  };
}

function whyNoSharedMemory(): string {
  if (typeof Worker === 'undefined') return 'there are no workers here';
  if (typeof SharedArrayBuffer === 'undefined' || globalThis.crossOriginIsolated === false) {
    return 'the page is not cross-origin isolated (served with COOP: same-origin and COEP: require-corp)';
  }
  return '';
}

/** Starts workers from the text of a script, whose `workerData` is what they are started with. */
export function spawnerInNode(threads: WorkerThreads, source: string): SpawnWorker {
  return (start, onEnd) => {
    const { port1, port2 } = new threads.MessageChannel();
    const worker = new threads.Worker(source, {
      eval: true,
      workerData: { ...start, port: port2 },
      transferList: [port2],
      name: 'tiller',
      // Loaders and debuggers of the process are none of a worker's business.
      execArgv: [],
      env: {},
    });
    worker.unref();
    let reason = '';
    worker.on('error', (error) => {
      reason = String(error);
    });
    worker.on('exit', (code) => onEnd(reason || `exit code ${code}`));
    return { terminate: () => void worker.terminate(), hasEnded: closureOf(threads, port1) };
  };
}

/**
 * Tells whether the other end of a channel has closed, as it does with the thread that holds it, however that ends. What says so is a
 * note in the port's queue; a port that has read it can no longer be sent elsewhere. All of this works on a thread that never
 * returns to its event loop.
 */
function closureOf({ MessageChannel, receiveMessageOnPort }: WorkerThreads, port: NodePort): () => boolean {
  let closed = false;
  return () => {
    receiveMessageOnPort(port);
    const { port1, port2 } = new MessageChannel();
    try {
      if (!closed) port1.postMessage(port, [port]);
      port = receiveMessageOnPort(port2)?.message ?? port;
    } catch {
      closed = true;
    }
    port1.close();
    return closed;
  };
}

function spawnInBrowser(start: WorkerStart, onEnd: (reason: string) => void): WorkerHandle {
  const source = `onmessage = ({ data }) => (${workerMain})(data)`;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'tiller' });
  worker.onerror = (event) => {
    worker.terminate();
    URL.revokeObjectURL(url);
    onEnd(event.message || 'the worker does not start');
  };
  worker.postMessage(start);
  return {
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
