import { environmentVariable } from '../environment.js';
import { pollGently } from './polling.js';

/**
 * WebGPU in Node: Dawn, from the npm package `webgpu`, on Vulkan (Linux), Metal or Direct3D. This file is also bundled for
 * browsers, where nothing calls it; so it names Node's modules and the package only at run time.
 */

export interface NodeAdapterRequest {
  readonly powerPreference: GPUPowerPreference;
  /** Whether to go looking for SwiftShader where there is no other driver. */
  readonly allowSoftware: boolean;
  /** Flags for Dawn, e.g. `enable-dawn-features=skip_validation`. */
  readonly flags: readonly string[];
}

export interface NodeAdapter {
  readonly adapter: GPUAdapter | null;
  /** What gave the adapter. */
  readonly gpu: GPU | null;
  /** What was looked for, a line each, for the error message and for `engineInfo().why`. */
  readonly tried: readonly string[];
}

interface DawnModule {
  create(flags: string[]): GPU;
}

interface FileSystem {
  existsSync(path: string): boolean;
  readdirSync(path: string): string[];
}

/** Where Chromium and Chrome keep a Vulkan loader of their own and the SwiftShader driver. */
const CHROMIUM_FOLDERS = [
  '/usr/lib/chromium',
  '/usr/lib64/chromium',
  '/usr/lib/chromium-browser',
  '/opt/google/chrome',
];

/**
 * The instances of Dawn that gave an adapter, by what they were started with. They are never let go: Dawn crashes once its
 * GPU object is collected while something of it is pending.
 */
const instances = new Map<string, GPU>();

/** A specifier that bundlers cannot see: what it names exists in Node only. */
function importAtRunTime(specifier: string): Promise<unknown> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
}

export async function requestNodeAdapter(request: NodeAdapterRequest): Promise<NodeAdapter> {
  const tried: string[] = [];
  let dawn: DawnModule;
  try {
    dawn = (await importAtRunTime('webgpu')) as DawnModule;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    tried.push(`the npm package 'webgpu' (Dawn): does not load: ${reason}`);
    return { adapter: null, gpu: null, tried };
  }
  const files = (await importAtRunTime('node:fs')) as FileSystem;
  if (process.platform === 'linux') tried.push(loadVulkan(files));

  const drivers = vulkanDrivers(files);
  if (drivers === null) {
    // Dawn would find nothing, and print that on the way.
    tried.push(`Vulkan drivers: none in ${driverFolders().join(', ')}`);
  } else {
    const found = await requestAdapter(dawn, request);
    tried.push(`Dawn with ${drivers}: ${found.adapter ? 'an adapter' : 'no adapter'}`);
    if (found.adapter) return { ...found, tried };
  }
  if (!request.allowSoftware || process.platform !== 'linux' || chosenDrivers())
    return { adapter: null, gpu: null, tried };

  const manifest = CHROMIUM_FOLDERS.map((folder) => `${folder}/vk_swiftshader_icd.json`).find(files.existsSync);
  if (!manifest) {
    tried.push(`SwiftShader: no vk_swiftshader_icd.json in ${CHROMIUM_FOLDERS.join(', ')}`);
    return { adapter: null, gpu: null, tried };
  }
  // The Vulkan loader reads the variable when Dawn asks for adapters; child processes should not inherit it.
  process.env.VK_ICD_FILENAMES = manifest;
  try {
    const software = await requestAdapter(dawn, request);
    tried.push(`SwiftShader (${manifest}): ${software.adapter ? 'an adapter' : 'no adapter'}`);
    return { ...software, tried };
  } finally {
    delete process.env.VK_ICD_FILENAMES;
  }
}

async function requestAdapter(
  dawn: DawnModule,
  request: NodeAdapterRequest,
): Promise<Pick<NodeAdapter, 'adapter' | 'gpu'>> {
  const key = JSON.stringify([request.flags, process.env.VK_ICD_FILENAMES, process.env.VK_DRIVER_FILES]);
  const gpu = instances.get(key) ?? dawn.create([...request.flags]);
  const adapter = await pollGently(() => gpu.requestAdapter({ powerPreference: request.powerPreference }));
  if (adapter) instances.set(key, gpu);
  return { adapter, gpu };
}

/** The drivers that the user chose, as the Vulkan loader reads it. */
function chosenDrivers(): string | undefined {
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'];
  return names.map(environmentVariable).find((value) => value !== undefined);
}

/** Where the Vulkan loader looks for the manifests of drivers. */
function driverFolders(): string[] {
  const home = environmentVariable('HOME');
  const shared = (environmentVariable('XDG_DATA_DIRS') ?? '/usr/local/share:/usr/share').split(':');
  const own = environmentVariable('XDG_DATA_HOME') ?? (home && `${home}/.local/share`);
  const settings = ['/usr/local/etc', '/etc', ...(environmentVariable('XDG_CONFIG_DIRS')?.split(':') ?? [])];
  const folders = [...settings, ...shared, ...(own ? [own] : [])].filter((folder) => folder !== '');
  return [...new Set(folders)].map((folder) => `${folder.replace(/\/$/, '')}/vulkan/icd.d`);
}

/** The graphics drivers there are for Dawn, in words; null if there is none. */
function vulkanDrivers(files: FileSystem): string | null {
  if (process.platform !== 'linux') return "the system's driver";
  const chosen = chosenDrivers();
  if (chosen) return `the Vulkan drivers of ${chosen}`;
  const manifests = driverFolders()
    .filter((folder) => files.existsSync(folder))
    .flatMap((folder) => files.readdirSync(folder))
    .filter((name) => name.endsWith('.json'));
  return manifests.length > 0 ? `the Vulkan drivers ${manifests.join(', ')}` : null;
}

/** Makes the Vulkan loader available to Dawn, which opens it by name alone; returns where it came from. */
function loadVulkan(files: FileSystem): string {
  if (openLibrary('libvulkan.so.1')) return 'Vulkan loader: libvulkan.so.1 of the system';
  const bundled = CHROMIUM_FOLDERS.map((folder) => `${folder}/libvulkan.so.1`).find(files.existsSync);
  if (bundled && openLibrary(bundled)) return `Vulkan loader: ${bundled}`;
  return `Vulkan loader: no libvulkan.so.1 on the system or in ${CHROMIUM_FOLDERS.join(', ')}`;
}

/** Opens a shared library for good; true if that worked. */
function openLibrary(path: string): boolean {
  // Node closes what is no Node addon again; without NODELETE the library would be gone after the throw.
  const RTLD_LAZY = 0x1;
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, path, RTLD_LAZY | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}
