import { tfjsAgainstPyTorch } from './tfjsOracle.js';

tfjsAgainstPyTorch('wasm', 1);
