/** One line of output: a benchmark on an engine, beside one peer (or none). */
export interface Row {
  readonly bench: string;
  readonly engine: string;
  readonly adapter: string;
  /** How Dawn was started: 'default' or 'own' (tiller's flags); '' elsewhere. */
  readonly toggles: string;
  /** Milliseconds of a run: median and minimum. */
  readonly ms: number;
  readonly min: number;
  readonly samples: number;
  /** Milliseconds of a run in which the JavaScript thread was busy (its event loop did not wait): on WebAssembly it computes too. */
  readonly busyMs?: number;
  /** The same for each operation of a chain, in microseconds. */
  readonly usPerOperation?: number;
  readonly gflops?: number;
  readonly peer: string | null;
  /** True for a peer in native code, a ceiling: `ratio` is then the share of its speed, and it never counts as the best peer. */
  readonly native?: true;
  /** What a native peer computes on. */
  readonly peerAdapter?: string;
  readonly peerMs: number | null;
  readonly peerMin: number | null;
  readonly peerGflops?: number;
  readonly peerBusyMs?: number;
  readonly peerUsPerOperation?: number;
  /** peerUsPerOperation / usPerOperation. */
  readonly overheadRatio?: number;
  /** What a benchmark tells beside its time. */
  readonly detail?: Readonly<Record<string, number | string>>;
  /** peerMs / ms: above 1, tiller is faster. */
  readonly ratio: number | null;
  /** Largest relative difference between the two results (agreement.ts), and whether it is within the benchmark's tolerance. */
  readonly maxError: number | null;
  readonly agrees: boolean | null;
  /** Why the peer has no numbers. */
  readonly note?: string;
  /** True where that is a failure, and not something the peer cannot do. */
  readonly failed?: boolean;
}

/** A row as a line of JSON, details among the fields; numbers to 4 significant digits, infinite ones as strings. */
export function jsonLine(row: Row): string {
  const { detail, ...rest } = row;
  return JSON.stringify({ ...rest, ...detail }, (_, value: unknown) => {
    if (typeof value !== 'number') return value;
    return Number.isFinite(value) ? Number(value.toPrecision(4)) : String(value);
  });
}

interface Column<T> {
  readonly title: string;
  readonly left?: boolean;
  cell(row: T): string;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'bench', left: true, cell: (row) => row.bench },
  { title: 'engine', left: true, cell: (row) => (row.toggles ? `${row.engine} (${row.toggles})` : row.engine) },
  { title: 'ms', cell: (row) => number(row.ms) },
  { title: 'min', cell: (row) => number(row.min) },
  { title: 'GFLOP/s', cell: (row) => number(row.gflops) },
  { title: 'peer', left: true, cell: (row) => row.peer ?? '' },
  { title: 'peer ms', cell: (row) => number(row.peerMs) },
  { title: 'peer min', cell: (row) => number(row.peerMin) },
  { title: 'ratio', cell: (row) => times(row.ratio) },
  { title: 'max error', cell: (row) => (row.maxError === null ? '' : row.maxError.toExponential(1)) },
  {
    title: '',
    left: true,
    cell: (row) => [row.note ?? (row.agrees === false ? 'DISAGREES' : ''), ...remarks(row)].filter(Boolean).join('; '),
  },
];

/** What a row tells that has no column. */
function remarks({ usPerOperation, peerUsPerOperation, overheadRatio, detail }: Row): string[] {
  const overhead =
    usPerOperation === undefined
      ? []
      : peerUsPerOperation === undefined
        ? [`${number(usPerOperation)} us an operation`]
        : [
            `${number(usPerOperation)} us an operation against ${number(peerUsPerOperation)} (${times(overheadRatio!)})`,
          ];
  return [
    ...overhead,
    ...Object.entries(detail ?? {}).map(([name, x]) => `${name} ${typeof x === 'number' ? number(x) : x}`),
  ];
}

function number(value: number | null | undefined): string {
  if (value === null || value === undefined) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Rows as a Markdown table. */
export const table = (rows: readonly Row[]): string => markdown(COLUMNS, rows);

/** One line per benchmark, where tiller is weakest first: its times, each peer's, and the ratio to the best peer. */
export function summary(rows: readonly Row[]): string {
  const lines = [...new Set(rows.map(({ bench }) => bench))].map((bench) => rows.filter((row) => row.bench === bench));
  const peers = [...new Set(rows.flatMap(({ peer }) => peer ?? []))];
  const toggles = [...new Set(rows.map((row) => row.toggles))];
  const label = (name: string) => (name ? `tiller (${name})` : 'tiller');
  const weakest = (line: Row[]) => Math.min(...toggles.map((name) => bestPeerRatio(line, name) ?? Infinity));
  const columns: Column<Row[]>[] = [
    { title: 'bench', left: true, cell: (line) => line[0]!.bench },
    ...toggles.map((name) => ({
      title: `${label(name)} ms`,
      cell: (line: Row[]) => number(line.find((row) => row.toggles === name)?.ms),
    })),
    ...peers.map((peer) => ({
      title: `${peer} ms`,
      cell: (line: Row[]) => number(line.find((row) => row.peer === peer)?.peerMs),
    })),
    ...toggles.map((name) => ({
      title: name ? `ratio (${name})` : 'ratio',
      cell: (line: Row[]) => times(bestPeerRatio(line, name)),
    })),
  ];
  return markdown(
    columns,
    lines.sort((a, b) => weakest(a) - weakest(b)),
  );
}

/** Time of the fastest peer over tiller's, native ones aside; null where no peer ran. */
function bestPeerRatio(line: readonly Row[], toggles: string): number | null {
  const ratios = line.flatMap((row) => (row.toggles === toggles && row.ratio !== null && !row.native ? row.ratio : []));
  return ratios.length === 0 ? null : Math.min(...ratios);
}

function times(ratio: number | null): string {
  return ratio === null ? '' : `${ratio.toFixed(2)}x`;
}

function markdown<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, 3, ...cells.map((line) => line[i]!.length)));
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text, i) => (columns[i]!.left ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join(' | ')} |`;
  const rule = columns.map(({ left }, i) => (left ? '-'.repeat(widths[i]!) : `${'-'.repeat(widths[i]! - 1)}:`));
  return [line(columns.map(({ title }) => title)), line(rule), ...cells.map(line)].join('\n');
}
