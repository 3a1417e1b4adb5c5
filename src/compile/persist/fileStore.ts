import { environmentVariable } from '../../engine/environment.js';
import { ArgumentError } from '../../graph/index.js';
import { leastUsed, MARK_AFTER_MS, MOST_BYTES, type RecordStore } from './store.js';

/** What is used of `node:fs`. Its calls return at once or not at all: a process that ends right after its work has kept its plans. */
interface FileSystem {
  mkdirSync(path: string, options: { mode: number }): void;
  readdirSync(path: string): string[];
  readFileSync(path: string): Uint8Array;
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { force: true }): void;
  statSync(path: string): { isDirectory(): boolean; size: number; mtimeMs: number; mode: number; uid: number };
  utimesSync(path: string, accessed: Date, modified: Date): void;
  writeFileSync(path: string, bytes: Uint8Array, options: { flag: 'wx'; mode: number }): void;
}

/** This file is also bundled for browsers, so it names Node's modules only at run time. */
const importFromNode = (specifier: string): Promise<unknown> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);

const SUFFIX = '.plan';
/** A temporary file this old was left by a process that died. */
const ABANDONED_MS = 3_600_000;
/** Bytes written until the folder is looked through again. */
const LOOK_AFTER_BYTES = 4 * 2 ** 20;

/** The folder for caches of this user, as the system has it. */
async function userFolder(): Promise<string> {
  const { homedir } = (await importFromNode('node:os')) as { homedir(): string };
  const caches: Partial<Record<string, string | undefined>> = {
    darwin: `${homedir()}/Library/Caches`,
    win32: environmentVariable('LOCALAPPDATA') ?? `${homedir()}/AppData/Local`,
  };
  return `${environmentVariable('XDG_CACHE_HOME') ?? caches[process.platform] ?? `${homedir()}/.cache`}/tiller`;
}

/** Makes a folder, and those above it. Not by mkdir's `recursive`, which Node 20 never returns from for a folder in /proc. */
function makeFolder(files: FileSystem, path: string): void {
  const make = (): boolean => {
    try {
      files.mkdirSync(path, { mode: 0o700 });
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'EEXIST' && (files.statSync(path).mode & 0o170000) === 0o040000) return true;
      if (code === 'ENOENT') return false;
      throw error;
    }
  };
  const above = path.replace(/[\\/]+[^\\/]*[\\/]*$/, '');
  if (make()) return;
  if (above !== '' && above !== path) makeFolder(files, above);
  if (!make()) throw new Error(`ENOENT: ${path}`);
}

/**
 * Keeps records as files: in `folder`, or in the user's folder for caches, if that is the user's alone (null where it is not, or
 * cannot be made). Throws ArgumentError for a given folder that cannot be made.
 */
export async function openFileStore(folder: string | null): Promise<FileStore | null> {
  const files = (await importFromNode('node:fs')) as FileSystem;
  let path = folder ?? '';
  try {
    // Throws where the user has no home, as in containers that run as any user.
    if (folder === null) path = await userFolder();
    makeFolder(files, path);
    const { uid, mode } = files.statSync(path);
    const isOwn = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return folder !== null || isOwn ? new FileStore(files, path) : null;
  } catch (error) {
    if (folder === null) return null;
    throw new ArgumentError(
      `[init] no folder for cached plans at ${path}: ${String(error)} (expected one to write to)`,
    );
  }
}

export class FileStore implements RecordStore {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #mostBytes: number;
  #untilLook = 0;
  #temporary = 0;

  constructor(files: FileSystem, folder: string, mostBytes = MOST_BYTES) {
    this.#files = files;
    this.#folder = folder;
    this.#mostBytes = mostBytes;
  }

  async read(name: string): Promise<Uint8Array | null> {
    const path = this.#pathOf(name);
    try {
      const bytes = this.#files.readFileSync(path);
      this.#mark(path);
      return bytes;
    } catch {
      return null;
    }
  }

  async write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // Renamed when it is complete: no process ever reads a part, and of two that write one name either is right.
    const temporary = `${this.#folder}/${name}.${process.pid}.${this.#temporary++}.tmp`;
    try {
      this.#files.writeFileSync(temporary, bytes, { flag: 'wx', mode: 0o600 });
      this.#files.renameSync(temporary, this.#pathOf(name));
      this.#untilLook -= bytes.length;
      if (this.#untilLook < 0) this.#trim();
    } catch {
      this.#forget(temporary);
    }
  }

  async remove(name: string): Promise<void> {
    this.#forget(this.#pathOf(name));
  }

  #pathOf(name: string): string {
    return `${this.#folder}/${name}${SUFFIX}`;
  }

  /** Tells that a record was used: the time of its file. */
  #mark(path: string): void {
    const now = Date.now();
    try {
      if (now - this.#files.statSync(path).mtimeMs > MARK_AFTER_MS) {
        this.#files.utimesSync(path, new Date(now), new Date(now));
      }
    } catch {
      // Another process has removed it, or only reads are allowed here.
    }
  }

  #trim(): void {
    this.#untilLook = LOOK_AFTER_BYTES;
    const records = this.#files.readdirSync(this.#folder).flatMap((file) => {
      const path = `${this.#folder}/${file}`;
      try {
        const { size, mtimeMs } = this.#files.statSync(path);
        if (file.endsWith('.tmp') && Date.now() - mtimeMs > ABANDONED_MS) this.#forget(path);
        return file.endsWith(SUFFIX) ? [{ name: path, bytes: size, used: mtimeMs }] : [];
      } catch {
        return [];
      }
    });
    for (const path of leastUsed(records, this.#mostBytes)) this.#forget(path);
  }

  #forget(path: string): void {
    try {
      this.#files.rmSync(path, { force: true });
    } catch {
      // It stays: a record is checked whenever it is read.
    }
  }
}
