/** Runs the cases of the oracle in a page, on WebAssembly; see wasmOracle.test.ts. */
import * as tl from '../../src/index.js';

export { runCases } from './oracleInPage.js';

/** Whatever can be split among threads is: the cases are small. */
export async function start(): Promise<tl.EngineInfo> {
  const options = { engine: 'wasm', threads: 3, splitFrom: 0 } as const;
  return tl.init(options);
}
