import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { parseSafetensors } from 'tiller/formats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildPage } from '../../examples/digits/build.mjs';
import { serve } from '../../examples/digits/serve.mjs';
import { chromiumPath, chromiumWebGPUFlags, describeChromium } from '../setup/environment.js';

const QUIET = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/** Counts what the page hands to the GPU. */
const COUNT_SUBMITS = `
  globalThis.submits = 0;
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (...all) {
    globalThis.submits++;
    return submit.apply(this, all);
  };
`;
const NO_WEBGPU = `Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });`;

interface Shown {
  prediction: string;
  probabilities: number[];
  /** The image that the page says the network sees. */
  seen: number[];
}

/** What the network makes of an image, computed here in float64 from the weights in the repository. */
const network = (() => {
  const { entries } = parseSafetensors(
    readFileSync(new URL('../../examples/digits/weights.safetensors', import.meta.url)),
  );
  const values = (name: string) => {
    const { bytes, shape } = entries.find((entry) => entry.name === name)!;
    return { data: new Float32Array(bytes.slice().buffer), shape };
  };
  const layer = (i: number) => ({ weight: values(`layers.${i}.weight`), bias: values(`layers.${i}.bias`).data });
  const layers = [layer(0), layer(1)];
  return (image: number[]): number[] => {
    let x = image;
    layers.forEach(({ weight, bias }, depth) => {
      const [rows, columns] = weight.shape as [number, number];
      x = Array.from({ length: rows }, (_, row) => {
        let sum = bias[row]!;
        for (let c = 0; c < columns; c++) sum += weight.data[row * columns + c]! * x[c]!;
        return depth === 0 ? Math.max(0, sum) : sum;
      });
    });
    const powers = x.map((v) => Math.exp(v - Math.max(...x)));
    const total = powers.reduce((sum, v) => sum + v, 0);
    return powers.map((v) => v / total);
  };
})();

type Point = [x: number, y: number];

/** Digits as strokes, in fractions of the pad. */
const STROKES: Record<string, Point[][]> = {
  '0': [
    [
      [0.5, 0.18],
      [0.34, 0.28],
      [0.29, 0.5],
      [0.34, 0.72],
      [0.5, 0.82],
      [0.66, 0.72],
      [0.71, 0.5],
      [0.66, 0.28],
      [0.5, 0.18],
    ],
  ],
  '1': [
    [
      [0.52, 0.16],
      [0.5, 0.5],
      [0.48, 0.84],
    ],
  ],
  '2': [
    [
      [0.32, 0.3],
      [0.42, 0.19],
      [0.58, 0.2],
      [0.66, 0.33],
      [0.58, 0.5],
      [0.42, 0.66],
      [0.3, 0.8],
      [0.5, 0.8],
      [0.72, 0.79],
    ],
  ],
  '3': [
    [
      [0.33, 0.24],
      [0.48, 0.17],
      [0.64, 0.24],
      [0.64, 0.38],
      [0.48, 0.48],
      [0.66, 0.58],
      [0.68, 0.73],
      [0.5, 0.84],
      [0.31, 0.77],
    ],
  ],
  '4': [
    [
      [0.36, 0.18],
      [0.33, 0.52],
      [0.68, 0.52],
    ],
    [
      [0.66, 0.2],
      [0.64, 0.5],
      [0.62, 0.84],
    ],
  ],
  '7': [
    [
      [0.28, 0.22],
      [0.5, 0.21],
      [0.71, 0.21],
      [0.6, 0.45],
      [0.5, 0.65],
      [0.43, 0.84],
    ],
  ],
};

describeChromium('the digit page', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof serve>>;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tiller-digits-'));
    await buildPage(folder);
    server = await serve(folder, 0);
    browser = await chromium.launch({ executablePath: chromiumPath!, args: [...chromiumWebGPUFlags, ...QUIET] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens the page, and fails if it logs an error before `body` is through. */
  async function onPage(
    {
      script = COUNT_SUBMITS,
      query = '',
      ...context
    }: Parameters<Browser['newContext']>[0] & { script?: string; query?: string },
    body: (page: Page) => Promise<void>,
  ): Promise<void> {
    const opened = await browser.newContext(context);
    const page = await opened.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.addInitScript(script);
    await page.goto(server.url + query);
    await page.waitForFunction(() => document.body.dataset.state !== 'loading');
    await body(page);
    expect(errors).toEqual([]);
    await opened.close();
  }

  /** Waits until the shown image and the shown probabilities belong together and are not those of before. */
  async function shownAfter(page: Page, act: () => Promise<void>): Promise<Shown> {
    const read = () =>
      page.evaluate((): Shown => {
        const canvas = document.querySelector<HTMLCanvasElement>('#seen')!;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, 28, 28);
        return {
          prediction: document.querySelector('#prediction')!.textContent!,
          probabilities: [...document.querySelectorAll('#bars .value')].map(
            (e) => Number.parseFloat(e.textContent!) / 100,
          ),
          seen: Array.from({ length: 784 }, (_, i) => data[4 * i + 3]! / 255),
        };
      });
    const before = await read();
    await act();
    // A busy machine may take seconds to compile the first kernels.
    const patience = { timeout: 30_000, interval: 200 };
    await expect.poll(async () => (await read()).seen, patience).not.toEqual(before.seen);
    let last = await read();
    await expect
      .poll(async () => {
        const previous = last;
        last = await read();
        return JSON.stringify(previous) === JSON.stringify(last);
      }, patience)
      .toBe(true);
    return last;
  }

  /** The page rounds the image to 8 bits for showing it, and probabilities to a tenth of a percent. */
  function expectRightProbabilities({ prediction, probabilities, seen }: Shown): void {
    const expected = network(seen);
    probabilities.forEach((p, digit) => {
      expect(Math.abs(p - expected[digit]!)).toBeLessThan(0.01);
    });
    expect(prediction).toBe(String(expected.indexOf(Math.max(...expected))));
  }

  async function drawStrokes(page: Page, strokes: Point[][]): Promise<void> {
    const box = (await page.locator('#pad').boundingBox())!;
    const place = ([x, y]: Point) => [box.x + x * box.width, box.y + y * box.height] as const;
    for (const [start, ...rest] of strokes) {
      await page.mouse.move(...place(start!));
      await page.mouse.down();
      for (const point of rest) await page.mouse.move(...place(point), { steps: 5 });
      await page.mouse.up();
    }
  }

  it('reads real digits on WebGPU, and says that it did', async () => {
    await onPage({}, async (page) => {
      expect(await page.textContent('#where')).toMatch(/^Executed by WebGPU on .*SwiftShader.*software/i);
      const samples = page.locator('#samples button');
      expect(await samples.count()).toBe(20);
      let right = 0;
      for (let i = 0; i < 20; i++) {
        const submits = await page.evaluate('submits');
        const shown = await shownAfter(page, () => samples.nth(i).click());
        expectRightProbabilities(shown);
        if (shown.prediction === (await samples.nth(i).getAttribute('data-digit'))) right++;
        expect(await page.evaluate('submits')).toBeGreaterThan(submits as number);
        expect(await page.textContent('#time')).toMatch(/^\d+\.\d ms$/);
      }
      // The network takes the first 2, an odd one, for an 8.
      expect(right).toBeGreaterThanOrEqual(19);
    });
  });

  it('reads digits that are drawn with the mouse, and forgets them', async () => {
    await onPage({}, async (page) => {
      for (const [digit, strokes] of Object.entries(STROKES)) {
        const shown = await shownAfter(page, () => drawStrokes(page, strokes));
        expectRightProbabilities(shown);
        expect(shown.prediction, `drawn: ${digit}`).toBe(digit);
        const cleared = await shownAfter(page, () =>
          digit === '0' ? page.keyboard.press('Escape') : page.locator('#clear').click(),
        );
        expect(cleared.prediction).toBe('–');
        expect(Math.max(...cleared.probabilities, ...cleared.seen)).toBe(0);
      }
    });
  });

  it('reads digits that are drawn with a finger, on a narrow dark screen without scrolling sideways', async () => {
    const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, colorScheme: 'dark' as const };
    await onPage(phone, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
      const box = (await page.locator('#pad').boundingBox())!;
      const touch = await page.context().newCDPSession(page);
      const send = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: Point[]) =>
        touch.send('Input.dispatchTouchEvent', {
          type,
          touchPoints: points.map(([x, y]) => ({ x: box.x + x * box.width, y: box.y + y * box.height })),
        });
      const [first, ...rest] = STROKES['3']![0]!;
      const shown = await shownAfter(page, async () => {
        await send('touchStart', [first!]);
        for (const point of rest) await send('touchMove', [point]);
        await send('touchEnd', []);
      });
      expectRightProbabilities(shown);
      expect(shown.prediction).toBe('3');
      expect(await page.evaluate(() => scrollY)).toBe(0);
    });
  });

  it('says where WebGPU is missing, and computes on the CPU only when asked to', async () => {
    await onPage({ script: NO_WEBGPU }, async (page) => {
      expect(await page.textContent('#problem-title')).toBe('This browser offers no WebGPU');
      expect(await page.isVisible('#problem')).toBe(true);
      await page.locator('#samples button').first().click();
      expect(await page.textContent('#prediction')).toBe('–');
      await page.locator('#fallback').click();
      await page.waitForFunction(() => document.body.dataset.state === 'ready');
      expect(await page.isVisible('#problem')).toBe(false);
      expect(await page.textContent('#where')).toMatch(/^Executed by the CPU on WebAssembly/);
      const shown = await shownAfter(page, () => page.locator('#samples button[data-digit="7"]').first().click());
      expectRightProbabilities(shown);
      expect(shown.prediction).toBe('7');
    });
  });

  it('says what is wrong with the weights', async () => {
    await onPage({ query: '?weights=samples.json' }, async (page) => {
      expect(await page.textContent('#problem-text')).toMatch(/\[safetensors\]/);
      expect(await page.isVisible('#fallback')).toBe(false);
    });
  });
});
