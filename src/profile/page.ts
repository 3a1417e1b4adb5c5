import type { KernelSpan, Span } from './collector.js';
import { escapeHtml, GRAPH_DEFINITIONS, GRAPH_SCRIPT, GRAPH_STYLE, renderGraphs } from './graphPage.js';
import type { ProgramPicture } from './programs.js';
import type { ReportData } from './report.js';

const COLORS: Record<string, string> = {
  trace: '#14b8a6',
  capture: '#6366f1',
  plan: '#a855f7',
  codegen: '#ec4899',
  upload: '#0ea5e9',
  encode: '#2563eb',
  other: '#94a3b8',
  load: '#ddd6fe',
  compile: '#fda4af',
  read: '#bae6fd',
  idle: 'var(--wait)',
};
const KERNEL_COLORS = ['#16a34a', '#65a30d', '#0d9488', '#ca8a04', '#ea580c', '#059669', '#4d7c0f', '#b45309'];
/** Rectangles drawn in a timeline; more are merged away. */
const MAX_RECTANGLES = 4000;

const ms = (x: number): string => `${x >= 100 ? x.toFixed(0) : x.toFixed(2)} ms`;
const bytes = (n: number): string =>
  n >= 1e6 ? `${(n / 1e6).toFixed(2)} MB` : n >= 1e3 ? `${(n / 1e3).toFixed(1)} kB` : `${n} B`;

interface Block {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly color: string;
}

/** Leaves out what is too thin to be seen, so that a page of a long profile stays small. */
function visible(blocks: readonly Block[], total: number): Block[] {
  if (blocks.length <= MAX_RECTANGLES) return [...blocks];
  const least = [...blocks].map((b) => b.end - b.start).sort((a, b) => b - a)[MAX_RECTANGLES]!;
  return blocks.filter((b) => b.end - b.start > least || b.end - b.start > total / 2000);
}

function lane(y: number, label: string, blocks: readonly Block[], total: number): string {
  const x = (t: number): string => (140 + (840 * t) / total).toFixed(2);
  const rectangles = visible(blocks, total).map((b) => {
    const width = Math.max(0.4, (840 * (b.end - b.start)) / total).toFixed(2);
    return `<rect x="${x(b.start)}" y="${y}" width="${width}" height="30" fill="${b.color}"><title>${escapeHtml(b.name)}: ${ms(b.end - b.start)} at ${ms(b.start)}</title></rect>`;
  });
  return `<text x="0" y="${y + 20}" class="lane">${escapeHtml(label)}</text><rect x="140" y="${y}" width="840" height="30" class="track"/>${rectangles.join('')}`;
}

function timeline(r: ReportData): string {
  const total = Math.max(r.wallMs, ...r.kernelSpans.map((k) => k.end));
  const block = (s: Span): Block => ({ ...s, color: COLORS[s.name] ?? '#94a3b8' });
  const names = r.kernels.map((k) => k.name);
  const kernel = (k: KernelSpan): Block => ({
    name: k.kernel,
    start: Math.max(0, k.end - k.ms),
    end: k.end,
    color: KERNEL_COLORS[names.indexOf(k.kernel) % KERNEL_COLORS.length]!,
  });
  const ticks = Array.from({ length: 6 }, (_, i) => {
    const x = 140 + 168 * i;
    return `<text x="${x}" y="150" class="tick" text-anchor="${i === 0 ? 'start' : i === 5 ? 'end' : 'middle'}">${ms((total * i) / 5)}</text>`;
  });
  return `<svg viewBox="0 0 980 156" role="img" aria-label="timeline">
${lane(6, 'TypeScript', r.spans.filter((s) => s.kind === 'phase').map(block), total)}
${lane(50, 'waiting', r.spans.filter((s) => s.kind === 'wait').map(block), total)}
${lane(94, 'engine', r.kernelSpans.map(kernel), total)}
${ticks.join('')}</svg>`;
}

function bar(parts: readonly { name: string; value: number; color: string }[], whole: number): string {
  const shown = parts.filter((p) => p.value > 0);
  const pieces = shown.map(
    (p) =>
      `<i style="width:${((100 * p.value) / whole).toFixed(3)}%;background:${p.color}" title="${escapeHtml(p.name)}: ${ms(p.value)}"></i>`,
  );
  const legend = shown.map(
    (p) => `<span><b style="background:${p.color}"></b>${escapeHtml(p.name)} ${ms(p.value)}</span>`,
  );
  return `<div class="bar">${pieces.join('')}</div><div class="legend">${legend.join('')}</div>`;
}

function kernelTable(r: ReportData): string {
  if (r.kernels.length === 0) return '<p class="quiet">This engine does not time its kernels.</p>';
  const most = r.kernels[0]!.ms;
  const rows = r.kernels.slice(0, 100).map(
    (
      k,
      i,
    ) => `<tr><td class="name"><b style="background:${KERNEL_COLORS[i % KERNEL_COLORS.length]}"></b>${escapeHtml(k.name)}</td>
<td>${k.runs}</td><td>${k.ms.toFixed(3)}</td><td class="share"><i style="width:${((100 * k.ms) / most).toFixed(1)}%"></i>${(100 * k.share).toFixed(1)} %</td>
<td>${k.gflops > 0 ? k.gflops.toFixed(2) : '–'}</td><td>${k.gbs.toFixed(2)}</td>${k.roofline === null ? '' : `<td class="share"><i style="width:${Math.min(100, 100 * k.roofline).toFixed(1)}%"></i>${(100 * k.roofline).toFixed(1)} % of ${k.boundBy}</td>`}</tr>`,
  );
  return `<table><thead><tr><th class="name">kernel</th><th>runs</th><th>ms</th><th>share</th><th>GFLOP/s</th><th>GB/s</th>${r.roofline === null ? '' : '<th>roofline</th>'}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const STYLE = `
:root{color-scheme:light dark;--bg:#f8fafc;--card:#fff;--ink:#0f172a;--quiet:#64748b;--line:#e2e8f0;--track:#f1f5f9;--wait:#cbd5e1}
@media (prefers-color-scheme:dark){:root{--bg:#0b1120;--card:#131c31;--ink:#e2e8f0;--quiet:#94a3b8;--line:#24304a;--track:#1b2740;--wait:#475569}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1240px;margin:0 auto;padding:32px 24px 64px}h1{font-size:28px;margin:0}h2{font-size:17px;margin:0 0 14px}
.quiet{color:var(--quiet)}section{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:20px 22px;margin-top:18px;overflow-x:auto}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:12px;margin-top:18px}
.facts div{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:14px 16px}.facts b{display:block;font-size:20px;font-variant-numeric:tabular-nums}
.facts span{color:var(--quiet);font-size:13px}svg{width:100%;height:auto;display:block}.lane{fill:var(--ink);font-size:14px}.track{fill:var(--track)}.tick{fill:var(--quiet);font-size:12px}
.bar{display:flex;height:26px;border-radius:8px;overflow:hidden;background:var(--track)}.bar i{display:block}.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:8px 0 16px;font-size:13px;color:var(--quiet)}
.legend b,.name b{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:6px 8px;border-top:1px solid var(--line);white-space:nowrap}th{color:var(--quiet);font-weight:500;border-top:0}.name{text-align:left;max-width:480px;overflow:hidden;text-overflow:ellipsis}
.share{position:relative;min-width:120px}.share i{position:absolute;left:0;top:8px;bottom:8px;background:#16a34a33;border-radius:4px}`;

/** The report as one HTML page that needs nothing else. */
export function renderPage(r: ReportData, programs: readonly ProgramPicture[]): string {
  const fact = (value: string, label: string): string =>
    `<div><b>${escapeHtml(value)}</b><span>${escapeHtml(label)}</span></div>`;
  const whole = r.wallMs || 1;
  const names = r.kernels.map((k) => k.name);
  const colorOf = (name: string): string =>
    names.includes(name) ? KERNEL_COLORS[names.indexOf(name) % KERNEL_COLORS.length]! : '#94a3b8';
  const orchestrator = Object.entries(r.phases).map(([name, value]) => ({ name, value, color: COLORS[name]! }));
  const waiting = { name: 'waiting', value: r.waitMs, color: 'var(--wait)' };
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>tiller profile</title><style>${STYLE}${GRAPH_STYLE}</style></head>
<body><main>
<h1>Where did it execute?</h1>
<p class="quiet">${escapeHtml(r.engine.engine)} on ${escapeHtml(r.engine.adapter)}${r.engine.software ? ' (software: the CPU does the work)' : ''}</p>
<div class="facts">${[
    fact(ms(r.wallMs), 'wall clock'),
    fact(ms(r.orchestratorMs), 'TypeScript'),
    fact(ms(r.waitMs), 'waiting'),
    fact(
      r.timedBy === 'nothing' ? '–' : ms(r.engineMs),
      r.timedBy === 'timestamps' ? 'engine, by its timestamps' : 'engine',
    ),
    fact(`${r.kernelCount} / ${r.submits}`, 'kernels / submits'),
    fact(`${r.cacheHits} of ${r.cacheHits + r.cacheMisses}`, 'plans from the cache'),
    ...(r.roofline === null
      ? []
      : [fact(`${r.roofline.gflops.toFixed(1)} / ${r.roofline.gbs.toFixed(1)}`, 'roofline: GFLOP/s, GB/s')]),
    fact(`${bytes(r.copyBytes.up)} / ${bytes(r.copyBytes.down)}`, 'copied up / down'),
  ].join('')}</div>
<section><h2>Timeline</h2>${timeline(r)}</section>
<section><h2>The calling thread</h2>${bar([...orchestrator, waiting], whole)}
<h2>The engine, on the same scale</h2>${bar([{ name: 'kernels', value: r.engineMs, color: '#16a34a' }], Math.max(whole, r.engineMs))}</section>
<section><h2>Kernels</h2>${kernelTable(r)}</section>
<section><h2>Programs: click a kernel for its code</h2>${GRAPH_DEFINITIONS}${renderGraphs(programs, colorOf)}</section>
</main><script>${GRAPH_SCRIPT}</script></body></html>`;
}
