// What coldStart starts: one training step in a fresh process. The argument is the options of `init` as JSON.
import * as tl from 'tiller';
import { loadVulkan } from '../scripts/machine.mjs';
import { mlpStep } from './cases/mlpStep.js';

loadVulkan();
await tl.init(JSON.parse(process.argv[2]!));
const training = await mlpStep.tiller();
await training.step(0);
process.stdout.write('done\n');
// Plans are written to the cache beside the work; the process ends by itself when they are.
