// What the scripts and the test configuration need to know about the machine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {Record<string, string | undefined>} Env */

const SWIFTSHADER_FOLDERS = ['/usr/lib/chromium', '/usr/lib64/chromium', '/usr/lib/chromium-browser'];

/**
 * The Vulkan driver manifest of SwiftShader, which Debian's chromium package brings, or null.
 * @returns {string | null}
 */
export function swiftShaderManifest() {
  return SWIFTSHADER_FOLDERS.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find(existsSync) ?? null;
}

/**
 * The Chromium of this machine, or null. `TILLER_CHROMIUM` names another one.
 * @param {Env} env
 * @returns {string | null}
 */
export function findChromium(env) {
  if (env.TILLER_CHROMIUM) return existsSync(env.TILLER_CHROMIUM) ? env.TILLER_CHROMIUM : null;
  for (const folder of (env.PATH ?? '').split(delimiter).filter(Boolean)) {
    for (const program of ['chromium', 'chromium-browser']) {
      if (existsSync(join(folder, program))) return join(folder, program);
    }
  }
  return null;
}

/**
 * Loads the Vulkan loader that chromium brings where the system has none of its own (Debian's libvulkan1), because Dawn
 * asks for it by name alone. Must happen in the process of Dawn, before Dawn starts.
 */
export function loadVulkan() {
  if (process.platform !== 'linux') return;
  const bundled = SWIFTSHADER_FOLDERS.map((folder) => join(folder, 'libvulkan.so.1')).find(existsSync);
  if (openLibrary('libvulkan.so.1') || !bundled) return;
  openLibrary(bundled);
}

/**
 * Opens a shared library for good; true if it could be found.
 * @param {string} library
 */
function openLibrary(library) {
  // Node closes a library that is no Node addon again, unless the library may not be unloaded.
  const RTLD_NODELETE = 0x1000;
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

const PROBE = `
  import { loadVulkan } from '${import.meta.url}';
  loadVulkan();
  const { create } = await import('webgpu').catch((error) => {
    console.log('the npm package webgpu does not load: ' + error.message.split('\\n')[0]);
    process.exit(1);
  });
  const adapter = await create([]).requestAdapter();
  console.log(adapter ? 'ok' : 'Dawn found no adapter');
  process.exit(0);
`;

/**
 * Asks Dawn for an adapter, in a process of its own so that no Dawn instance stays behind in this one.
 * @param {Env} env
 * @returns {string | null} null if there is an adapter, else why there is none
 */
export function whyNoWebGPU(env) {
  const probe = spawnSync(process.execPath, ['--input-type=module', '-e', PROBE], {
    encoding: 'utf8',
    timeout: 60_000,
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env,
  });
  const answer = (probe.stdout ?? '').trim();
  if (answer === 'ok') return null;
  const detail = answer || (probe.stderr ?? '').trim().split('\n').at(-1) || 'the probe did not answer';
  return `no WebGPU adapter in Node: ${detail} (VK_ICD_FILENAMES is ${env.VK_ICD_FILENAMES ?? 'not set'})`;
}

/**
 * The environment in which tests run: Vulkan pointed at SwiftShader (unless a driver was chosen already), and what was
 * found out about the machine, so that no test process has to probe it again.
 * @param {Env} env
 * @returns {Record<string, string>}
 */
export function testEnvironment(env) {
  /** @type {Record<string, string>} */
  const found = {};
  const manifest = swiftShaderManifest();
  if (!env.VK_ICD_FILENAMES && !env.VK_DRIVER_FILES && manifest) found.VK_ICD_FILENAMES = manifest;
  found.TILLER_WEBGPU_MISSING = whyNoWebGPU({ ...env, ...found }) ?? '';
  // No test depends on what another run has left in the user's cache.
  found.TILLER_CACHE = '0';
  found.TILLER_CHROMIUM = findChromium(env) ?? '';
  return found;
}

/**
 * True for the usual ways to say yes in an environment variable.
 * @param {string | undefined} value
 */
export function isOn(value) {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
