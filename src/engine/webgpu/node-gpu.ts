import { environmentVariable } from './environment.js';
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
  /** What was looked for, a line each, for the error message and for `engineInfo().why`. */
  readonly tried: readonly string[];
}

interface DawnModule {
  create(flags: string[]): GPU;
}

interface FileSystem {
  existsSync(path: string): boolean;
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
    return { adapter: null, tried };
  }
  const files = (await importAtRunTime('node:fs')) as FileSystem;
  if (process.platform === 'linux') tried.push(loadVulkan(files));

  const adapter = await requestAdapter(dawn, request);
  const chosenDriver = environmentVariable('VK_ICD_FILENAMES') ?? environmentVariable('VK_DRIVER_FILES');
  tried.push(
    `Dawn, ${chosenDriver ? `Vulkan drivers of ${chosenDriver}` : 'system drivers'}: ${adapter ? 'an adapter' : 'no adapter'}`,
  );
  if (adapter || !request.allowSoftware || process.platform !== 'linux' || chosenDriver) return { adapter, tried };

  const manifest = CHROMIUM_FOLDERS.map((folder) => `${folder}/vk_swiftshader_icd.json`).find(files.existsSync);
  if (!manifest) {
    tried.push(`SwiftShader: no vk_swiftshader_icd.json in ${CHROMIUM_FOLDERS.join(', ')}`);
    return { adapter: null, tried };
  }
  // The Vulkan loader reads the variable when Dawn asks for adapters; child processes should not inherit it.
  process.env.VK_ICD_FILENAMES = manifest;
  try {
    const software = await requestAdapter(dawn, request);
    tried.push(`SwiftShader (${manifest}): ${software ? 'an adapter' : 'no adapter'}`);
    return { adapter: software, tried };
  } finally {
    delete process.env.VK_ICD_FILENAMES;
  }
}

async function requestAdapter(dawn: DawnModule, request: NodeAdapterRequest): Promise<GPUAdapter | null> {
  const key = JSON.stringify([request.flags, process.env.VK_ICD_FILENAMES, process.env.VK_DRIVER_FILES]);
  const gpu = instances.get(key) ?? dawn.create([...request.flags]);
  const adapter = await pollGently(() => gpu.requestAdapter({ powerPreference: request.powerPreference }));
  if (adapter) instances.set(key, gpu);
  return adapter;
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
