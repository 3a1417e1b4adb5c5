import { EngineUnavailableError } from 'tiller';
import { type Classification, Classifier } from './classifier.js';
import { DrawingPad } from './drawingPad.js';
import { likeMnist, SIDE } from './preprocess.js';
import { loadSamples } from './samples.js';
import { ResultView } from './view.js';

const query = new URLSearchParams(location.search);
const view = new ResultView();
let classifier: Classifier | null = null;

const pad = new DrawingPad(view.pad, () => {
  view.hideHint();
  request();
});

let wanted = false;
let busy = false;

/** Classifies what is drawn, once a frame at most: while one answer is on its way only the newest drawing waits. */
function request(): void {
  wanted = true;
  if (busy) return;
  busy = true;
  requestAnimationFrame(async () => {
    wanted = false;
    try {
      await update();
    } catch (error) {
      fail(error);
    }
    busy = false;
    if (wanted) request();
  });
}

async function update(): Promise<void> {
  const image = likeMnist(pad.ink(), pad.width, pad.height);
  view.showSeen(image);
  let result: Classification | null = null;
  if (image !== null && classifier !== null) result = await classifier.classify(image);
  view.showResult(result);
}

async function start(engine: 'webgpu' | 'wasm'): Promise<void> {
  view.showStarting(engine);
  try {
    const weights = new URL(query.get('weights') ?? 'weights.safetensors', location.href);
    classifier = await Classifier.load(engine, weights);
    view.showReady(classifier);
    request();
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  classifier = null;
  const unavailable = error instanceof EngineUnavailableError;
  const text = error instanceof Error ? error.message : String(error);
  view.showProblem(
    unavailable ? 'This browser offers no WebGPU' : 'Something went wrong',
    unavailable
      ? `Chrome, Edge and Safari have it in their current versions; elsewhere it may need to be switched on.\n${text}`
      : text,
    unavailable ? () => void start('wasm') : null,
  );
}

view.onClear(() => pad.clear());
void loadSamples(new URL('samples.json', location.href)).then((samples) => {
  for (const sample of samples) view.addSample(sample, SIDE, (image) => pad.show(image));
}, fail);
void start(query.get('engine') === 'wasm' ? 'wasm' : 'webgpu');
