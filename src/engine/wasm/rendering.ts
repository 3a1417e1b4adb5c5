import { UnsupportedError } from '../../graph/index.js';
import type { RenderWasmKernel } from './options.js';

export const renderKernel: RenderWasmKernel = ({ name }) => {
  throw new UnsupportedError(`[wasm] kernel ${name} has no WebAssembly`);
};
