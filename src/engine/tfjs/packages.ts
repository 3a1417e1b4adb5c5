import { ArgumentError, EngineUnavailableError } from '../../graph/index.js';
import type { Tf, TfBackendName } from './tf.js';

/** Which of TensorFlow's backends computes. */
export type TfjsBackend = 'node-gpu' | 'node' | 'wasm' | 'cpu';

/** By speed: the first that is installed is taken where none is asked for. */
export const BACKENDS: readonly TfjsBackend[] = ['node-gpu', 'node', 'wasm', 'cpu'];

interface Source {
  /** What is imported: the package whose functions are called, and one that adds a backend to it. */
  readonly packages: readonly [core: string, backend?: string];
  readonly name: TfBackendName;
}

const SOURCES: Readonly<Record<TfjsBackend, Source>> = {
  'node-gpu': { packages: ['@tensorflow/tfjs-node-gpu'], name: 'tensorflow' },
  node: { packages: ['@tensorflow/tfjs-node'], name: 'tensorflow' },
  wasm: { packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm'], name: 'wasm' },
  cpu: { packages: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu'], name: 'cpu' },
};

export interface LoadedTf {
  readonly tf: Tf;
  readonly backend: TfjsBackend;
  readonly name: TfBackendName;
  /** Whether a GPU computes. */
  readonly gpu: boolean;
  readonly version: string;
}

/** Bundlers leave it: none of the packages is a dependency. */
const importPackage = (specifier: string): Promise<object> =>
  import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);

export type ImportPackage = (specifier: string) => Promise<object>;

/** tfjs-node of 4.22 and before calls what Node 23 removed. */
async function mendUtil(): Promise<void> {
  if (typeof process === 'undefined' || !process.versions?.node) return;
  const specifier = 'node:util';
  const { default: util } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as {
    default: { isNullOrUndefined?: (value: unknown) => boolean };
  };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

const install = (backend: TfjsBackend): string => `npm install ${SOURCES[backend].packages.join(' ')}`;

const causeOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim();

/** Whether a package is not there, rather than broken. Vite puts a module that throws in the place of a missing optional peer. */
function isAbsent(error: unknown, specifier: string): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  if (message.includes(`Could not resolve "${specifier}"`)) return true;
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message.includes(`'${specifier}'`);
}

/** What went wrong with a package that is there, and the command that mends it. */
function brokenPackage(specifier: string, error: unknown): EngineUnavailableError {
  const cause = causeOf(error);
  const rebuild = `npm rebuild ${specifier} --ignore-scripts=false`;
  const library = /(libtensorflow[\w.-]*\w|tensorflow\.dll)/.exec(cause)?.[1];
  const cuda = /(lib(?:cuda|cudart|cublas|cudnn|cufft|curand|cusolver|cusparse|nccl)[\w.-]*\w)/.exec(cause)?.[1];
  const [what, mend] =
    /tfjs_binding\.node/.test(cause) && /not\s+be found|cannot find|no such file/i.test(cause)
      ? [`${specifier} has no native binding: its install script did not run`, rebuild]
      : library !== undefined
        ? [`${specifier} has no TensorFlow library: ${library} cannot be loaded`, rebuild]
        : cuda !== undefined
          ? [
              `${specifier} finds no CUDA: ${cuda} cannot be loaded`,
              'CUDA 11.x and cuDNN 8 on LD_LIBRARY_PATH; docs/tfjs.md has a container',
            ]
          : [`${specifier} cannot be loaded: ${cause}`, `npm install ${specifier}, or ${rebuild}`];
  return new EngineUnavailableError(`[tfjs] ${what} (expected ${mend})`, { cause: error });
}

/** Loads a backend; null where its package is not installed. Throws EngineUnavailableError where it is and does not work. */
async function load(backend: TfjsBackend, importer: ImportPackage): Promise<LoadedTf | null> {
  const { packages, name } = SOURCES[backend];
  if (name === 'tensorflow') await mendUtil();
  let core: Tf | null = null;
  for (const specifier of packages as readonly string[]) {
    try {
      const loaded = await importer(specifier);
      // CommonJS comes as the default export of an ES module.
      core ??= ('engine' in loaded ? loaded : (loaded as { default: object }).default) as Tf;
    } catch (error) {
      if (isAbsent(error, specifier)) return null;
      throw brokenPackage(specifier, error);
    }
  }
  const tf = core!;
  const started = await tf.setBackend(name).catch(() => false);
  if (!started) {
    throw new EngineUnavailableError(
      `[tfjs] the backend ${backend} does not start: @tensorflow/tfjs-core ${tf.version_core} (expected one version of all its packages: ${install(backend)})`,
    );
  }
  const device = tf.findBackend(name) as { isUsingGpuDevice?: boolean } | null;
  return { tf, backend, name, gpu: device?.isUsingGpuDevice === true, version: tf.version_core };
}

/**
 * Loads the backend that is asked for, else the fastest that is installed. Throws ArgumentError for an unknown name, and
 * EngineUnavailableError, with the command that mends it, where a package is missing, or is installed and does not work.
 */
export async function loadTf(backend?: TfjsBackend, importer: ImportPackage = importPackage): Promise<LoadedTf> {
  if (backend !== undefined && !BACKENDS.includes(backend)) {
    throw new ArgumentError(`[init] unknown backend: ${String(backend)} (expected one of ${BACKENDS.join(', ')})`);
  }
  for (const each of backend === undefined ? BACKENDS : [backend]) {
    const loaded = await load(each, importer);
    if (loaded !== null) return loaded;
  }
  const missing =
    backend === undefined
      ? 'no package of TensorFlow.js is installed'
      : `${SOURCES[backend].packages.join(' and ')} not installed`;
  throw new EngineUnavailableError(`[tfjs] ${missing} (expected ${install(backend ?? 'node-gpu')})`);
}

/** CUDA, which the automatic choice takes. Throws EngineUnavailableError where it cannot be had. */
export async function loadCuda(importer: ImportPackage = importPackage): Promise<LoadedTf> {
  const loaded = await loadTf('node-gpu', importer);
  if (loaded.gpu) return loaded;
  throw new EngineUnavailableError('[tfjs] TensorFlow found no GPU (expected CUDA 11.x and cuDNN 8: docs/tfjs.md)');
}
