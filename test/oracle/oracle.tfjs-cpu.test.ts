import { tfjsAgainstPyTorch } from './tfjsOracle.js';

tfjsAgainstPyTorch('cpu', 2);
