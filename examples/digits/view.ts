import type { Classification, Classifier } from './classifier.js';
import type { Sample } from './samples.js';

const DIGITS = 10;

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found as T;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** Everything on the page but the drawing itself. */
export class ResultView {
  readonly pad = element<HTMLCanvasElement>('pad');
  private readonly prediction = element<HTMLOutputElement>('prediction');
  private readonly confidence = element('confidence');
  private readonly seen = element<HTMLCanvasElement>('seen');
  private readonly where = element('where');
  private readonly time = element('time');
  private readonly problem = element('problem');
  private readonly fallback = element<HTMLButtonElement>('fallback');
  private readonly bars = Array.from({ length: DIGITS }, (_, digit) => addBar(element('bars'), digit));

  constructor() {
    followTheme(element('theme'));
  }

  onClear(clear: () => void): void {
    element('clear').addEventListener('click', clear);
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') clear();
    });
  }

  hideHint(): void {
    element('hint').classList.add('gone');
  }

  addSample({ digit, pixels }: Sample, side: number, use: (image: HTMLCanvasElement) => void): void {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = side;
    paint(canvas, (i) => pixels[i]!);
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.digit = String(digit);
    button.setAttribute('aria-label', `A handwritten ${digit}`);
    button.append(canvas);
    button.addEventListener('click', () => use(canvas));
    element('samples').append(button);
  }

  /** The image that the network gets. */
  showSeen(image: Float32Array | null): void {
    paint(this.seen, (i) => (image === null ? 0 : Math.round(image[i]! * 255)));
  }

  showResult(result: Classification | null): void {
    const probabilities = result?.probabilities ?? new Array<number>(DIGITS).fill(0);
    const best = result === null ? -1 : probabilities.indexOf(Math.max(...probabilities));
    this.prediction.value = result === null ? '–' : String(best);
    this.confidence.textContent = result === null ? 'Nothing drawn yet' : sayConfidence(probabilities[best]!);
    for (const [digit, bar] of this.bars.entries()) bar(probabilities[digit]!, digit === best);
    this.time.textContent = result === null ? '' : `${result.ms.toFixed(1)} ms`;
  }

  showStarting(engine: string): void {
    this.setState('loading');
    this.problem.hidden = true;
    this.where.textContent = `Starting ${engine === 'webgpu' ? 'WebGPU' : 'WebAssembly'} …`;
  }

  showReady({ engine, layers, metadata }: Classifier): void {
    this.setState('ready');
    document.body.dataset.software = String(engine.software);
    const name = engine.engine === 'webgpu' ? 'WebGPU' : 'the CPU';
    const software = engine.engine === 'webgpu' && engine.software ? ' (software: the CPU does the work)' : '';
    this.where.textContent = `Executed by ${name} on ${engine.adapter}${software}`;
    const accuracy = Number(metadata.test_accuracy);
    const measured = accuracy > 0 ? `, right on ${(accuracy * 100).toFixed(1)} % of 2,000 test digits` : '';
    element('about').textContent =
      `The network: a multi-layer perceptron, ${layers}, trained on 8,000 MNIST digits${measured}. ` +
      'Your drawing stays in this tab.';
  }

  /** @param retry what the button for the CPU does, or null for no such button */
  showProblem(title: string, text: string, retry: (() => void) | null): void {
    this.setState('failed');
    element('problem-title').textContent = title;
    element('problem-text').textContent = text;
    this.fallback.hidden = retry === null;
    this.fallback.onclick = retry;
    this.problem.hidden = false;
    this.where.textContent = 'Nothing executes';
    this.showResult(null);
    this.confidence.textContent = 'Not running';
  }

  private setState(state: 'loading' | 'ready' | 'failed'): void {
    document.body.dataset.state = state;
  }
}

const sayConfidence = (share: number): string =>
  share > 0.9 ? `${percent(share)} sure` : share > 0.5 ? `${percent(share)}: probably` : `${percent(share)}: a guess`;

/** Adds a row for a digit; the result sets its probability. */
function addBar(list: HTMLElement, digit: number): (share: number, best: boolean) => void {
  const part = (className: string, text = '') => {
    const span = document.createElement('span');
    span.className = className;
    span.textContent = text;
    return span;
  };
  const row = document.createElement('li');
  const fill = document.createElement('div');
  fill.className = 'fill';
  const track = part('track');
  track.style.display = 'block';
  track.append(fill);
  const value = part('value');
  row.dataset.digit = String(digit);
  row.append(part('digit', String(digit)), track, value);
  list.append(row);
  const set = (share: number, best: boolean) => {
    row.classList.toggle('best', best);
    fill.style.setProperty('--share', String(share));
    value.textContent = percent(share);
  };
  set(0, false);
  return set;
}

/** Paints the opacity of black. */
function paint(canvas: HTMLCanvasElement, opacity: (i: number) => number): void {
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) image.data[4 * i + 3] = opacity(i);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

/** The system's theme, until the button is pressed. */
function followTheme(button: HTMLElement): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = (theme: string) => {
    document.documentElement.dataset.theme = theme;
  };
  let chosen = false;
  apply(system.matches ? 'dark' : 'light');
  system.addEventListener('change', () => {
    if (!chosen) apply(system.matches ? 'dark' : 'light');
  });
  button.addEventListener('click', () => {
    chosen = true;
    apply(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  });
}
