import type { KernelPicture, ProgramPicture } from './programs.js';

const WIDTH = 500;
const COLUMNS = 2;
const BOX = { width: 236, height: 66, gapX: 20, gapY: 30 };

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

const shorten = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

const KEYWORDS =
  'fn var let const for if else return loop while break continue struct array override enable kernel reduce once sum max min prod argmax argmin';
const TOKENS = new RegExp(
  `(//[^\\n]*)|(@\\w+)|\\b(${KEYWORDS.split(' ').join('|')})\\b|\\b([fiu]32|bool|vec[234]\\w?|mat\\dx\\d\\w?)\\b|\\b(\\d[\\w.]*)`,
  'g',
);

/** Code with its words in colours. */
function highlight(code: string): string {
  let html = '';
  let at = 0;
  for (const match of code.matchAll(TOKENS)) {
    const kind = ['comment', 'attribute', 'keyword', 'type', 'number'][
      match.slice(1).findIndex((m) => m !== undefined)
    ]!;
    html += `${escapeHtml(code.slice(at, match.index))}<i class="${kind}">${escapeHtml(match[0])}</i>`;
    at = match.index + match[0].length;
  }
  return html + escapeHtml(code.slice(at));
}

/** Where the boxes stand: by depth, a few beside each other. */
function placed(kernels: readonly KernelPicture[]): { x: number; y: number }[] {
  const rows: number[][] = [];
  const deepest = Math.max(0, ...kernels.map((k) => k.depth));
  for (let depth = 0; depth <= deepest; depth++) {
    const layer = kernels.flatMap((k, i) => (k.depth === depth ? [i] : []));
    for (let i = 0; i < layer.length; i += COLUMNS) rows.push(layer.slice(i, i + COLUMNS));
  }
  const places = kernels.map(() => ({ x: 0, y: 0 }));
  rows.forEach((row, r) => {
    const width = row.length * BOX.width + (row.length - 1) * BOX.gapX;
    row.forEach((kernel, i) => {
      places[kernel] = {
        x: (WIDTH - width) / 2 + i * (BOX.width + BOX.gapX),
        y: 6 + r * (BOX.height + BOX.gapY),
      };
    });
  });
  return places;
}

function drawGraph({ kernels }: ProgramPicture, at: number, chosen: number, colorOf: (name: string) => string): string {
  const places = placed(kernels);
  const total = kernels.reduce((sum, k) => sum + (k.ms ?? 0), 0);
  const edges = kernels.flatMap((kernel, to) =>
    kernel.after.map((from) => {
      const [a, b] = [places[from]!, places[to]!];
      const [x1, y1] = [a.x + BOX.width / 2, a.y + BOX.height];
      const [x2, y2] = [b.x + BOX.width / 2, b.y];
      const bend = Math.max(14, (y2 - y1) / 2);
      return `<path class="edge" data-from="${from}" data-to="${to}" d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2 - 5}" marker-end="url(#tip)"/>`;
    }),
  );
  const boxes = kernels.map((kernel, i) => {
    const { x, y } = places[i]!;
    const share = total > 0 && kernel.ms !== null ? kernel.ms / total : 0;
    const time = kernel.ms === null ? 'not timed' : `${kernel.ms.toFixed(3)} ms · ${(100 * share).toFixed(1)} %`;
    return `<g class="box${i === chosen ? ' chosen' : ''}" data-kernel="${at}-${i}" role="button" tabindex="0" aria-label="kernel ${escapeHtml(kernel.name)}" transform="translate(${x} ${y})">
<title>${escapeHtml(kernel.name)}</title><rect width="${BOX.width}" height="${BOX.height}" rx="10"/>
<rect class="stripe" width="5" height="${BOX.height - 20}" x="8" y="10" rx="2.5" fill="${colorOf(kernel.name)}"/>
<text x="24" y="22" class="title">${escapeHtml(shorten(kernel.name, 25))}</text>
<text x="24" y="39" class="small">${escapeHtml(shorten(kernel.points[0] ?? '', 32))}</text>
<text x="24" y="56" class="small">${time}</text>
<rect class="meter" x="150" y="48" width="74" height="8" rx="4"/><rect x="150" y="48" width="${(74 * share).toFixed(1)}" height="8" rx="4" fill="${colorOf(kernel.name)}"/></g>`;
  });
  const height = Math.max(0, ...places.map((p) => p.y)) + BOX.height + 8;
  return `<svg class="graph" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">${edges.join('')}${boxes.join('')}</svg>`;
}

function panel(kernel: KernelPicture, id: string, shown: boolean): string {
  const fact = (name: string, value: string): string => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`;
  const sources = kernel.sources.map(
    ({ language, text }, i) =>
      `<details${i === 0 ? ' open' : ''}><summary>${escapeHtml(language)}</summary><pre tabindex="0">${highlight(text)}</pre></details>`,
  );
  return `<article data-panel="${id}"${shown ? '' : ' hidden'}><h3>${escapeHtml(kernel.name)}</h3><dl>${[
    ...kernel.points.map((p, i) => fact(i === 0 ? 'computes' : 'beside it', p)),
    fact('reads', kernel.reads.join(' · ') || 'nothing'),
    fact('writes', kernel.writes.join(' · ')),
    fact('work', `${kernel.flops.toLocaleString('en')} FLOP, ${kernel.bytes.toLocaleString('en')} bytes bound`),
  ].join('')}</dl>${sources.join('')}</article>`;
}

/** The programs as graphs of their fused kernels, each of which shows its code when it is clicked. */
export function renderGraphs(programs: readonly ProgramPicture[], colorOf: (name: string) => string): string {
  if (programs.length === 0) return '<p class="quiet">This engine interprets the graph: there are no kernels.</p>';
  return programs
    .map((program, at) => {
      const { kernels, runs, more, arenaBytes } = program;
      // The costliest is shown first.
      const chosen = kernels.reduce((best, k, i) => ((k.ms ?? 0) > (kernels[best]!.ms ?? 0) ? i : best), 0);
      const rest = more > 0 ? `, ${more} more not shown` : '';
      return `<details class="program"${at === 0 ? ' open' : ''}><summary>${count(kernels.length + more, 'kernel')}, run ${count(runs, 'time')}${rest} <span class="quiet">· ${arenaBytes.toLocaleString('en')} bytes of intermediate results</span></summary>
<div class="split"><div class="canvas">${drawGraph(program, at, chosen, colorOf)}</div><div class="code">${kernels.map((k, i) => panel(k, `${at}-${i}`, i === chosen)).join('')}</div></div></details>`;
    })
    .join('');
}

/** The tip of an arrow, once for all graphs of a page. */
export const GRAPH_DEFINITIONS =
  '<svg width="0" height="0" style="position:absolute"><defs><marker id="tip" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" class="tip"/></marker></defs></svg>';

export const GRAPH_STYLE = `
.program>summary{cursor:pointer;padding:8px 0;font-weight:600}.program>summary .quiet{font-weight:400}.program+.program{border-top:1px solid var(--line)}
.split{display:grid;grid-template-columns:minmax(0,520px) minmax(0,1fr);gap:20px;padding:8px 0 12px}.canvas,.code{max-height:760px;overflow:auto}
.canvas{background:var(--track);border-radius:12px;padding:8px;scrollbar-width:thin}.code{scrollbar-width:thin}.graph{width:${WIDTH}px;max-width:none;height:auto;margin:0 auto}
.edge{fill:none;stroke:var(--quiet);stroke-width:1.5;opacity:.45}.tip{fill:var(--quiet)}.edge.lit{stroke:#2563eb;opacity:1;stroke-width:2}
.box{cursor:pointer;outline:none}.box>rect:first-of-type{fill:var(--card);stroke:var(--line);stroke-width:1.5}.box:hover>rect:first-of-type,.box:focus-visible>rect:first-of-type{stroke:var(--quiet)}
.box.chosen>rect:first-of-type{stroke:#2563eb;stroke-width:2.5}.box .title{font:600 13px ui-monospace,monospace;fill:var(--ink)}.box .small{font-size:11.5px;fill:var(--quiet)}.meter{fill:var(--track)}
article h3{font:600 15px ui-monospace,monospace;margin:2px 0 10px;overflow-wrap:anywhere}dl{display:grid;grid-template-columns:auto 1fr;gap:3px 14px;margin:0 0 12px;font-size:13px}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
article summary{cursor:pointer;color:var(--quiet);font-size:13px;padding:4px 0}pre{background:var(--track);border-radius:12px;padding:14px 16px;margin:4px 0 10px;overflow:auto;max-height:560px;font:12.5px/1.55 ui-monospace,SFMono-Regular,Menlo,monospace;tab-size:2;scrollbar-width:thin}
pre i{font-style:normal}.keyword{color:#7c3aed}.type{color:#0f766e}.number{color:#b45309}.attribute{color:#be185d}.comment{color:var(--quiet)}
@media (prefers-color-scheme:dark){.keyword{color:#c4b5fd}.type{color:#5eead4}.number{color:#fcd34d}.attribute{color:#f9a8d4}.edge.lit,.box.chosen>rect:first-of-type{stroke:#60a5fa}}
@media (max-width:900px){.split{grid-template-columns:minmax(0,1fr)}}`;

/** Shows the panel of the box that is clicked, and lights its arrows. */
export const GRAPH_SCRIPT = `
for (const box of document.querySelectorAll('.box')) {
  const choose = () => {
    const program = box.closest('.program');
    for (const other of program.querySelectorAll('.box')) other.classList.toggle('chosen', other === box);
    for (const panel of program.querySelectorAll('[data-panel]')) panel.hidden = panel.dataset.panel !== box.dataset.kernel;
    const number = box.dataset.kernel.split('-')[1];
    for (const edge of program.querySelectorAll('.edge')) {
      edge.classList.toggle('lit', edge.dataset.from === number || edge.dataset.to === number);
    }
  };
  box.addEventListener('click', choose);
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose();
  });
  if (box.classList.contains('chosen')) choose();
}`;
