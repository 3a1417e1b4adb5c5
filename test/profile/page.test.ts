import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as tl from '../../src/index.js';
import * as nn from '../../src/nn/index.js';
import * as optim from '../../src/optim/index.js';
import { launchChromium } from '../browser/chromium.js';
import { describeChromium, webgpuAvailable } from '../setup/environment.js';

async function profileOf(engine: 'webgpu' | 'wasm' | 'reference'): Promise<tl.ProfileReport> {
  await tl.init({ engine });
  const net = new nn.Sequential(new nn.Linear(64, 48), new nn.ReLU(), new nn.Linear(48, 10));
  const opt = new optim.Adam(net.parameters());
  const x = tl.tensor(new Float32Array(32 * 64).fill(0.5), { shape: [32, 64] });
  await tl.realize(...net.parameters());
  return tl.profile(
    async () => {
      for (let i = 0; i < 4; i++) {
        opt.zeroGrad();
        tl.crossEntropy(net.forward(x), tl.tensor(new Int32Array(32), { dtype: 'i32' })).backward();
        await opt.step();
      }
    },
    { roofline: engine === 'wasm' },
  );
}

describeChromium('the page of a profile', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** Shows a page, and gathers what it complains of or asks the network for. */
  async function show(html: string, colorScheme: 'light' | 'dark', width = 1280): Promise<[Page, string[]]> {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => complaints.push(request.url()));
    await page.setContent(html);
    return [page, complaints];
  }

  for (const engine of webgpuAvailable ? (['webgpu', 'wasm'] as const) : (['wasm'] as const)) {
    it(`shows the fused kernels of ${engine} as boxes, and the code of the one that is clicked`, async () => {
      const report = await profileOf(engine);
      const [page, complaints] = await show(await report.html(), 'light');
      const step = page.locator('.program').first();
      const boxes = step.locator('.box');
      const count = await boxes.count();
      expect(count).toBeGreaterThan(4);
      await expect(step.locator('summary').first().textContent()).resolves.toMatch(
        new RegExp(`^${count} kernels, run 4 times`),
      );
      // One panel at a time: first that of the costliest, then of whichever is chosen by mouse or keyboard.
      const panels = step.locator('[data-panel]:visible');
      expect(await panels.count()).toBe(1);
      for (let i = 0; i < count; i++) {
        if (i % 2 === 0) await boxes.nth(i).click();
        else await boxes.nth(i).press('Enter');
        expect(await panels.count()).toBe(1);
        expect(await panels.locator('h3').textContent()).toBe(await boxes.nth(i).locator('title').textContent());
        const code = await panels.locator('pre').first().textContent();
        expect(code).toMatch(engine === 'webgpu' ? /@compute @workgroup_size\(/ : /^kernel \w+ \(b0: /);
      }
      expect(await step.locator('.edge').count()).toBeGreaterThanOrEqual(count - 2);
      expect(await step.locator('.edge.lit').count()).toBeGreaterThan(0);
      // Boxes lie apart, and their words within them.
      const crowded = await step.locator('.graph').evaluate((graph) => {
        const all = [...graph.querySelectorAll('.box > rect:first-of-type')].map((box) => box.getBoundingClientRect());
        const overlap = all.filter((a, i) =>
          all.some((b, j) => i < j && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom),
        );
        const wide = [...graph.querySelectorAll('.box')].filter((box) => {
          const { right } = box.querySelector('rect')!.getBoundingClientRect();
          return [...box.querySelectorAll('text')].some((text) => text.getBoundingClientRect().right > right);
        });
        return [overlap.length, wide.length];
      });
      expect(crowded).toEqual([0, 0]);
      const lasts = await page.locator('table tbody tr td:last-child').allInnerTexts();
      expect(lasts).toHaveLength(report.kernels.length);
      const last = engine === 'wasm' ? /^\d+\.\d % of (arithmetic|memory)$/ : /^\d+\.\d\d$/;
      for (const text of lasts) expect(text).toMatch(last);
      expect(complaints).toEqual([]);
      await page.close();
    });
  }

  it('can be read by day and by night, on wide screens and narrow ones', async () => {
    const html = await (await profileOf('wasm')).html();
    for (const [scheme, width] of [
      ['light', 1280],
      ['dark', 1280],
      ['dark', 700],
    ] as const) {
      const [page, complaints] = await show(html, scheme, width);
      const seen = await page.evaluate(() => {
        const luminance = (color: string): number => {
          const [r, g, b] = color.match(/[\d.]+/g)!.map((c) => (Number(c) / 255) ** 2.2) as [number, number, number];
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (text: Element, behind: Element, property: 'color' | 'fill'): number => {
          const [a, b] = [
            luminance(getComputedStyle(text)[property]),
            luminance(getComputedStyle(behind).backgroundColor),
          ];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        };
        const section = document.querySelector('section')!;
        const pre = document.querySelector('article:not([hidden]) pre')!;
        return {
          contrasts: [
            contrast(document.querySelector('h1')!, document.body, 'color'),
            contrast(document.querySelector('th')!, section, 'color'),
            contrast(document.querySelector('.box .title')!, section, 'fill'),
            contrast(document.querySelector('.box .small')!, section, 'fill'),
            ...[...pre.querySelectorAll('i')].map((i) => contrast(i, pre, 'color')),
          ],
          overflow: document.documentElement.scrollWidth - innerWidth,
        };
      });
      // What WCAG asks of text.
      for (const contrast of seen.contrasts) expect(contrast).toBeGreaterThanOrEqual(4.5);
      expect(seen.overflow).toBeLessThanOrEqual(0);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('says so where there are no kernels', async () => {
    const [page, complaints] = await show(await (await profileOf('reference')).html(), 'light');
    expect(await page.locator('.box').count()).toBe(0);
    expect(await page.getByText('This engine interprets the graph').count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });
});
