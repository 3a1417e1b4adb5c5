import { describe, expect, it } from 'vitest';
import { jsonLine, type Row, summary, table } from '../../bench/report.js';

const row: Row = {
  bench: 'matmul512',
  engine: 'webgpu',
  adapter: 'test adapter',
  toggles: 'own',
  ms: 60.123456,
  min: 59.5,
  samples: 7,
  gflops: 4.4647,
  peer: 'jax-js',
  peerMs: 140.2,
  peerMin: 138,
  peerGflops: 1.91,
  ratio: 140.2 / 60.123456,
  maxError: 2.5e-6,
  agrees: true,
};

const cells = (text: string) =>
  text.split('\n').map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );

describe('rows as JSON', () => {
  it('are one line each, with the fields of the contract', () => {
    const line = jsonLine(row);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual({ ...row, ms: 60.12, gflops: 4.465, ratio: 2.332 });
  });

  it('say that an error is infinite, and leave out what does not apply', () => {
    const { gflops: _, ...rest } = row;
    const parsed = JSON.parse(jsonLine({ ...rest, maxError: Infinity, agrees: false }));
    expect(parsed.maxError).toBe('Infinity');
    expect(parsed).not.toHaveProperty('gflops');
  });
});

describe('rows as a table', () => {
  it('line up', () => {
    const lines = table([row, { ...row, bench: 'softmax2048x1024', ms: 7, gflops: undefined }]).split('\n');
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    expect(lines[1]).toMatch(/^[|: -]+$/);
  });

  it('shout where results disagree, and say why a peer has no numbers', () => {
    const failed: Row = {
      ...row,
      peerMs: null,
      peerMin: null,
      ratio: null,
      maxError: null,
      agrees: null,
      note: 'failed: no',
    };
    const [, , first, second] = cells(table([{ ...row, agrees: false }, failed]));
    expect(first!.at(-1)).toBe('DISAGREES');
    expect(second!.at(-1)).toBe('failed: no');
    expect(second).not.toContain('null');
  });
});

describe('the summary', () => {
  it('shows native peers, but never counts them as the best', () => {
    const rows: Row[] = [
      { ...row, ms: 60, peerMs: 120, ratio: 2 },
      { ...row, ms: 60, peer: 'ort', native: true, peerMs: 6, ratio: 0.1 },
    ];
    expect(cells(summary(rows)).at(-1)).toEqual(['matmul512', '60.0', '120', '6.00', '2.00x']);
  });

  it('has a line per benchmark, weakest first, with the ratio to the best peer', () => {
    const rows: Row[] = [
      { ...row, ms: 60, peerMs: 120, ratio: 2 },
      { ...row, ms: 60, peer: 'tfjs', peerMs: 600, ratio: 10 },
      { ...row, bench: 'depthwise3x3', ms: 20, peerMs: 40, ratio: 2 },
      { ...row, bench: 'depthwise3x3', ms: 20, peer: 'tfjs', peerMs: 10, ratio: 0.5 },
    ];
    expect(cells(summary(rows))).toEqual([
      ['bench', 'tiller (own) ms', 'jax-js ms', 'tfjs ms', 'ratio (own)'],
      expect.anything(),
      ['depthwise3x3', '20.0', '40.0', '10.0', '0.50x'],
      ['matmul512', '60.0', '120', '600', '2.00x'],
    ]);
  });
});
