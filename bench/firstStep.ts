// What coldStart starts: one training step in a fresh process. The arguments are the options of `init` as JSON, and the model.
import * as tl from 'tiller';
import { loadVulkan } from '../scripts/machine.mjs';

loadVulkan();
await tl.init(JSON.parse(process.argv[2]!));
if (process.argv[3] === 'transformer') {
  const { transformerStep } = await import('./transformerStep.js');
  await transformerStep();
} else {
  const { perceptronStep } = await import('./perceptronStep.js');
  await perceptronStep();
}
process.stdout.write('done\n');
// Plans are written to the cache beside the work; the process ends by itself when they are.
