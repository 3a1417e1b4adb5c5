import type { Engine, EngineBuffer, Program } from '../engine/engine.js';
import { startTimer } from '../engine/environment.js';
import { arrayOf, InternalError, OutOfMemoryError, sizeOf, type TypedArray, wordsOf } from '../graph/index.js';
import { inPhase, profiler, waitingFor } from './events.js';
import { type Holders, namingHolders } from './holders.js';
import type { OnKernel } from './loadCode.js';
import type { Keeper } from './persist/index.js';
import { type CacheStats, type Launchable, ProgramCache } from './programs.js';
import type { Snapshot } from './snapshot.js';
import type { DeviceCell, Storage } from './storage.js';

/** Device copies of host data kept for the next run, least recently used freed first. */
const UPLOAD_CACHE_BYTES = 256 * 2 ** 20;
/** A tensor up to this size moves to the host when it is read: most are read once, at the end. */
const MOVE_ON_READ_BYTES = 2 ** 20;
/** Unread results up to this size, and how many of them may stay on the device. */
const SMALL_RESULT_BYTES = 4096;
const MAX_SMALL_RESULTS = 64;
/** Unread larger results: beyond this many bytes on the device the oldest that are still in use move to the host. */
const LARGE_RESULT_BYTES = 512 * 2 ** 20;
/** State that a step made is told to the garbage collector's registry only if the next step has not replaced it by then. */
const REGISTER_AFTER_MS = 1000;
const MAX_UNREGISTERED = 1024;

/** One realization: everything is captured at the call, so that later changes do not reach it. */
export interface Work {
  readonly snap: Snapshot;
  readonly inputs: readonly Storage[];
  readonly donated: readonly boolean[];
  readonly scalars: readonly number[];
  readonly outputs: readonly Storage[];
  /** Outputs whose values come to the host in this run; their device memory is freed. */
  readonly fetch: readonly Storage[];
  /** The program, where the caller kept it from an earlier run. */
  readonly launchable?: Launchable | undefined;
}

/** Who waits for the values of a storage; null where there is nothing to read on the engine. */
interface Asked {
  readonly promise: Promise<TypedArray | null>;
  resolve(host: TypedArray | null): void;
  reject(error: unknown): void;
}
type Reads = Map<Storage, Asked>;

function deferred(): Asked {
  let resolve!: Asked['resolve'];
  let reject!: Asked['reject'];
  const promise = new Promise<TypedArray | null>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

const asError = (e: unknown): Error => (e instanceof Error ? e : new Error(String(e)));

/**
 * Queues work on one engine, in order. Jobs run at the call itself when nothing waits before them and their program is ready.
 * A job never rejects: what goes wrong sticks to the storages that it spoiled.
 */
export class Runtime {
  private engine: Engine | null = null;
  private cache: ProgramCache | null = null;
  private startError: Error | null = null;
  private tail: Promise<void>;
  private waiting = 1;
  /** Device copies of host data, least recently used first. */
  private readonly uploads = new Map<Storage, number>();
  private uploadBytes = 0;
  /** Small unread results, oldest first. */
  private smallResults: Storage[] = [];
  /** Larger ones, held weakly: those that were collected are freed with that. */
  private largeResults: WeakRef<Storage>[] = [];
  private largeBytes = 0;
  /** State on the device that the registry does not know yet. */
  private unregistered: Storage[] = [];
  private willRegister = false;
  private readonly holdersByBuffer = new Map<EngineBuffer, DeviceCell>();
  /** Reads asked for since the last microtask. */
  private reads: Reads | null = null;
  private readonly registry: FinalizationRegistry<{ buffer: EngineBuffer | null }> | null;

  /** `keep` gives what keeps an engine's plans between processes. */
  constructor(start: Promise<Engine>, keep: Promise<Keeper> | null = null) {
    const ready = Promise.all([start, keep]);
    this.tail = ready.then(
      ([engine, keeper]) => {
        this.engine = engine;
        this.cache = new ProgramCache(engine, keeper?.(engine) ?? null);
        this.waiting--;
      },
      (error) => {
        start.then((engine) => engine.destroy()).catch(() => {});
        this.startError = asError(error);
        this.waiting--;
      },
    );
    this.registry =
      typeof FinalizationRegistry === 'undefined'
        ? null
        : new FinalizationRegistry((cell) => this.enqueue(() => this.releaseCell(cell)));
  }

  /** The engine, or what kept it from starting. */
  async started(): Promise<Engine> {
    await this.tail;
    if (this.engine === null) throw this.startError ?? new InternalError('[runtime] the engine did not start');
    return this.engine;
  }

  get startedEngine(): Engine | null {
    return this.engine;
  }

  /** What holds the engine's memory, but for its arena. */
  get holders(): Holders {
    return this.holdersByBuffer;
  }

  /** The programs that are ready to run again. */
  get programs(): readonly Program[] {
    return this.cache?.prepared ?? [];
  }

  get cacheStats(): CacheStats {
    return this.cache?.stats ?? { hits: 0, misses: 0, loaded: 0 };
  }

  private enqueue(job: () => void | Promise<void>): Promise<void> {
    this.flushReads();
    return this.enqueueNow(job);
  }

  private enqueueNow(job: () => void | Promise<void>): Promise<void> {
    if (this.waiting === 0) {
      const done = job();
      if (done === undefined) return Promise.resolve();
      this.waiting++;
      this.tail = done.finally(() => this.waiting--);
      return this.tail;
    }
    this.waiting++;
    this.tail = this.tail.then(job).finally(() => this.waiting--);
    return this.tail;
  }

  /** Resolves when everything queued so far was handed to the engine. */
  idle(): Promise<void> {
    return this.enqueue(() => {});
  }

  /** Queues a realization. Resolves when it has run and its fetched values are on the host; rejects with what spoiled it. */
  submit(work: Work): Promise<void> {
    let finished: Promise<void> = Promise.resolve();
    const queued = this.queueRun(work, (program, scalars) => {
      this.run(work, program, scalars);
      finished = this.finish(work);
    });
    return queued.then(() => finished).then(() => throwIfSpoiled(work.outputs));
  }

  /** Makes the program of a realization, without running it. */
  async prepare(snap: Snapshot, donated: readonly boolean[], onKernel?: OnKernel): Promise<Launchable> {
    await this.started();
    const { program, constants } = this.cache!.get(snap, donated, onKernel);
    return { program: await program, constants };
  }

  /** Queues a run that nobody waits for: what goes wrong shows in the outputs. */
  launch(work: Work, onPrepared: (launchable: Launchable) => void): void {
    this.queueRun(work, (program, scalars) => this.run(work, program, scalars), onPrepared);
  }

  /** Puts a run into the queue. Compilation starts at once, beside whatever is queued before. */
  private queueRun(
    work: Work,
    run: (program: Program, scalars: readonly number[]) => void,
    onPrepared?: (launchable: Launchable) => void,
  ): Promise<void> {
    let launchable = work.launchable ?? this.cache?.get(work.snap, work.donated);
    return this.enqueue(() => {
      launchable ??= this.cache?.get(work.snap, work.donated);
      if (launchable === undefined) {
        this.spoil(work, this.startError ?? new InternalError('[runtime] the engine did not start'));
        return;
      }
      const { program, constants } = launchable;
      const scalars = constants.length === 0 ? work.scalars : [...work.scalars, ...constants];
      if (!(program instanceof Promise)) {
        if (launchable !== work.launchable) onPrepared?.({ program, constants });
        run(program, scalars);
        return;
      }
      return program.then(
        (p) => {
          onPrepared?.({ program: p, constants });
          run(p, scalars);
        },
        (error) => this.spoil(work, namingHolders(asError(error), this.holders)),
      );
    });
  }

  private spoil(work: Work, error: Error): void {
    for (const o of work.outputs) {
      if (o.state === 'pending') {
        o.state = 'failed';
        o.error = error;
      }
    }
    work.inputs.forEach((s, i) => {
      if (work.donated[i]) this.release(s);
    });
  }

  /** Runs a prepared program. */
  private run(work: Work, program: Program, scalars: readonly number[]): void {
    const failed = work.inputs.find(
      (s) => s.error !== null || (s.host === null && s.device.buffer === null && s.bytes > 0),
    );
    if (failed !== undefined) {
      this.spoil(work, failed.error ?? new InternalError('[runtime] an input has no data'));
      return;
    }
    const once: Storage[] = [];
    try {
      const outputs = this.execute(work, program, scalars, once);
      profiler()?.ran(program);
      outputs.forEach((buffer, i) => {
        this.settle(work.outputs[i]!, buffer);
      });
      const kept = new Set(outputs);
      work.inputs.forEach((s, i) => {
        if (!work.donated[i]) return;
        if (s.device.buffer !== null && kept.has(s.device.buffer)) s.device.buffer = null;
        else this.release(s);
        this.forgetUpload(s);
        s.host = null;
      });
    } catch (error) {
      this.spoil(work, namingHolders(asError(error), this.holders));
    }
    for (const s of once) this.release(s);
    this.trimUploads(UPLOAD_CACHE_BYTES);
    this.noteResults(work);
  }

  /** Has the engine run a program. Where memory is short, copies of what is on the host too make room. */
  private execute(work: Work, program: Program, scalars: readonly number[], once: Storage[]): EngineBuffer[] {
    const attempt = (): EngineBuffer[] => {
      const buffers = work.inputs.map((s, i) => this.onDevice(s, work.donated[i]! ? null : once));
      return inPhase('encode', () => this.engine!.run(program, buffers, scalars));
    };
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof OutOfMemoryError) || !this.trimUploads(0, work.inputs)) throw error;
      return attempt();
    }
  }

  /** Resolves when the work has ended and its fetched values are on the host. */
  private finish(work: Work): Promise<void> {
    const engine = this.engine!;
    const computed = engine.name !== 'plan-only';
    const pending = work.fetch.filter((s) => computed && s.state === 'ready' && s.host === null);
    const done =
      pending.length === 0
        ? waitingFor(
            'idle',
            inPhase('encode', () => engine.idle()),
          )
        : this.fetch(pending, () => true).then(() => {});
    return done.catch((error: unknown) => {
      for (const o of work.outputs) {
        o.state = 'failed';
        o.error ??= asError(error);
      }
    });
  }

  /**
   * Small results of runs that fetch nothing would pile up on the device until they are collected: the oldest move to the host,
   * many in one read.
   */
  private noteResults(work: Work): void {
    if (work.fetch.length > 0 || this.engine!.name === 'plan-only') return;
    for (const o of work.outputs) {
      if (o.resident || o.state !== 'ready' || o.bytes === 0) continue;
      if (o.bytes <= SMALL_RESULT_BYTES) this.smallResults.push(o);
      else {
        this.largeResults.push(new WeakRef(o));
        this.largeBytes += o.bytes;
      }
    }
    if (this.largeBytes > LARGE_RESULT_BYTES) this.moveLargeResults();
    if (this.smallResults.length <= MAX_SMALL_RESULTS) return;
    const oldest = this.smallResults
      .splice(0, MAX_SMALL_RESULTS / 2)
      .filter((s) => s.state === 'ready' && s.host === null && s.device.buffer !== null);
    if (oldest.length > 0) this.fetch(oldest, () => true).catch(() => {});
  }

  /** Forgets results that are no longer on the device; where that is not enough, moves the older half to the host. */
  private moveLargeResults(): void {
    const alive = this.largeResults.flatMap((ref) => {
      const s = ref.deref();
      return s !== undefined && s.state === 'ready' && s.device.buffer !== null && !s.resident ? [s] : [];
    });
    const bytes = alive.reduce((n, s) => n + s.bytes, 0);
    const moved = bytes > LARGE_RESULT_BYTES ? alive.splice(0, Math.ceil(alive.length / 2)) : [];
    const unread = moved.filter((s) => s.host === null);
    if (unread.length > 0) this.fetch(unread, () => true).catch(() => {});
    this.largeResults = alive.map((s) => new WeakRef(s));
    this.largeBytes = alive.reduce((n, s) => n + s.bytes, 0);
  }

  /** Gives an output its buffer. One that was disposed meanwhile still serves the work queued before its disposal, which frees it. */
  private settle(storage: Storage, buffer: EngineBuffer): void {
    storage.device.buffer = buffer;
    storage.device.runtime = this;
    this.holdersByBuffer.set(buffer, storage.device);
    if (storage.state === 'pending') storage.state = 'ready';
    if (storage.resident) this.registerLater(storage);
    else this.registry?.register(storage, storage.device, storage);
  }

  /** Registering costs more than the rest of a step's bookkeeping, and most state lives for one step. */
  private registerLater(storage: Storage): void {
    if (this.registry === null) return;
    if (this.unregistered.push(storage) >= MAX_UNREGISTERED) this.registerState();
    if (this.willRegister) return;
    this.willRegister = true;
    startTimer(() => {
      this.willRegister = false;
      this.registerState();
    }, REGISTER_AFTER_MS);
  }

  private registerState(): void {
    const due = this.unregistered;
    this.unregistered = [];
    for (const s of due) if (s.device.buffer !== null) this.registry!.register(s, s.device, s);
  }

  /** The device copy of a storage, uploaded where it is missing; a first upload is listed in `once`. */
  private onDevice(s: Storage, once: Storage[] | null): EngineBuffer {
    const elsewhere = s.device.runtime;
    if (elsewhere !== null && elsewhere !== this && s.host !== null) elsewhere.release(s);
    if (s.device.buffer === null) {
      s.device.buffer = inPhase('upload', () => this.engine!.upload(wordsOf(s.host!, s.dtype)));
      profiler()?.copied('up', s.bytes);
      s.device.runtime = this;
      this.holdersByBuffer.set(s.device.buffer, s.device);
      this.registry?.register(s, s.device, s);
      if (++s.uses === 1 && once !== null) once.push(s);
    }
    if (s.host !== null && !s.resident && !(once?.includes(s) ?? false)) this.keepUpload(s);
    return s.device.buffer;
  }

  private keepUpload(s: Storage): void {
    this.forgetUpload(s);
    this.uploads.set(s, s.bytes);
    this.uploadBytes += s.bytes;
  }

  private forgetUpload(s: Storage): void {
    const bytes = this.uploads.get(s);
    if (bytes === undefined) return;
    this.uploads.delete(s);
    this.uploadBytes -= bytes;
  }

  /** Frees copies of host data, the longest unused first, until they take at most `bytes`; tells whether there were any. */
  private trimUploads(bytes: number, spared?: readonly Storage[]): boolean {
    const before = this.uploadBytes;
    for (const s of this.uploads.keys()) {
      if (this.uploadBytes <= bytes) break;
      if (!spared?.includes(s)) this.release(s);
    }
    return this.uploadBytes < before;
  }

  /** Frees the device copy. */
  private release(s: Storage): void {
    this.forgetUpload(s);
    this.registry?.unregister(s);
    this.releaseCell(s.device);
  }

  private releaseCell(cell: { buffer: EngineBuffer | null }): void {
    if (cell.buffer === null) return;
    const { buffer } = cell;
    cell.buffer = null;
    this.holdersByBuffer.delete(buffer);
    this.engine?.free(buffer);
  }

  /** Reads device copies to the host; those that `moves` is true for are freed on the device then. */
  private async fetch(storages: readonly Storage[], moves: (s: Storage) => boolean): Promise<TypedArray[]> {
    const words = await waitingFor(
      'read',
      inPhase('encode', () => this.engine!.read(storages.map((s) => s.device.buffer!))),
    );
    return storages.map((s, i) => {
      profiler()?.copied('down', s.bytes);
      const values = s.host ?? arrayOf(words[i]!, s.dtype, sizeOf(s.shape));
      if (s.state !== 'ready' || s.device.buffer === null) return values;
      s.host = values;
      if (moves(s)) this.enqueue(() => this.release(s));
      else if (!s.resident) this.keepUpload(s);
      return values;
    });
  }

  /** The values of a storage, after everything queued before. Reads that are asked for together reach the engine as one. */
  async read(s: Storage): Promise<TypedArray> {
    if (this.reads === null) {
      this.reads = new Map();
      queueMicrotask(() => this.flushReads());
    }
    let asked = this.reads.get(s);
    if (asked === undefined) this.reads.set(s, (asked = deferred()));
    const host = await asked.promise;
    if (host !== null) return host;
    if (s.bytes === 0 && s.error === null) return arrayOf(new ArrayBuffer(0), s.dtype, 0);
    s.checkUsable('data');
    throw new InternalError(`[data] no value: ${s.state}`);
  }

  /** Queues the reads asked for so far; before any later job, which may donate or free what they read. */
  private flushReads(): void {
    const { reads } = this;
    if (reads === null) return;
    this.reads = null;
    this.enqueueNow(() => {
      const onDevice: Storage[] = [];
      for (const [s, { resolve }] of reads) {
        // Only the data counts here, not what was decided since it was asked for.
        if (s.host !== null || s.error !== null || s.device.buffer === null || s.bytes === 0) resolve(s.host);
        else onDevice.push(s);
      }
      if (onDevice.length > 0) this.readTogether(onDevice, reads);
    });
  }

  private readTogether(storages: readonly Storage[], reads: Reads): void {
    const moves = (s: Storage): boolean => !s.resident && s.bytes <= MOVE_ON_READ_BYTES;
    const one = (s: Storage): void => {
      const { resolve, reject } = reads.get(s)!;
      this.fetch([s], moves).then(([host]) => resolve(host!), reject);
    };
    if (storages.length === 1) {
      one(storages[0]!);
      return;
    }
    this.fetch(storages, moves).then(
      (hosts) => {
        storages.forEach((s, i) => {
          reads.get(s)!.resolve(hosts[i]!);
        });
      },
      // What spoiled one of them is not the others' failure.
      () => storages.forEach(one),
    );
  }

  /** Takes values that come from elsewhere; what is queued later waits for them. */
  receive(s: Storage, values: Promise<TypedArray>): void {
    const fail = (error: unknown): void => {
      s.state = 'failed';
      s.error = asError(error);
      s.host = null;
    };
    this.enqueue(() =>
      values.then((host) => {
        // One that was disposed meanwhile still serves the work queued before its disposal.
        s.host = host;
        if (this.startError !== null) fail(this.startError);
        else if (s.state === 'pending') s.state = 'ready';
      }, fail),
    );
  }

  dispose(s: Storage): void {
    if (s.state === 'disposed' || s.state === 'stale') return;
    s.state = 'disposed';
    this.enqueue(() => {
      s.host = null;
      this.release(s);
    });
  }
}

function throwIfSpoiled(outputs: readonly Storage[]): void {
  const spoiled = outputs.find((o) => o.state === 'failed');
  if (spoiled !== undefined) throw spoiled.error!;
}
