import { expect, it } from 'vitest';
import { CompiledModule } from '../../../src/engine/wasm/modules.js';
import { StepPhase } from '../../../src/engine/wasm/phase.js';

const module = new CompiledModule(new Uint8Array(0), [() => {}]);
const phaseOf = (tasks: number, taskCost: number) =>
  new StepPhase('kernel', module, 0, { name: 'phase', tasks, taskCost });

it('is split where it is long enough', () => {
  expect(phaseOf(100, 599).threads(8, 60_000)).toBe(1);
  expect(phaseOf(100, 600).threads(8, 60_000)).toBeGreaterThan(1);
  expect(phaseOf(100, 1e6).threads(8, 60_000)).toBe(8);
  expect(phaseOf(3, 1e6).threads(8, 60_000)).toBe(3);
  expect(phaseOf(1, 1e9).threads(8, 0)).toBe(1);
  expect(phaseOf(100, 1e9).threads(1, 0)).toBe(1);
  // No more threads than it keeps busy.
  expect(phaseOf(1000, 80).threads(8, 60_000)).toBe(3);
});

it('is handed out in parts that are neither too small nor too large', () => {
  expect(phaseOf(1_000_000, 100).chunk(2)).toBe(31_250);
  // 8 µs at least.
  expect(phaseOf(1000, 100).chunk(2)).toBe(80);
  // Something for every thread.
  expect(phaseOf(10, 1).chunk(3)).toBe(4);
  // 5 ms at most.
  expect(phaseOf(1_000_000, 10_000).chunk(2)).toBe(500);
  expect(phaseOf(10, 1e9).chunk(2)).toBe(1);
});

it('learns what it costs: at once where it costs less, slowly where it seems to cost more', () => {
  const phase = phaseOf(100, 10_000);
  expect(phase.threads(2, 60_000)).toBe(2);
  phase.learn(0.01, 50);
  expect(phase.threads(2, 60_000)).toBe(1);
  phase.learn(50, 50);
  expect(phase.threads(2, 60_000)).toBe(1);
  for (let i = 0; i < 40; i++) phase.learn(50, 50);
  expect(phase.threads(2, 60_000)).toBe(1);
  for (let i = 0; i < 40; i++) phase.learn(50, 50);
  expect(phase.threads(2, 60_000)).toBe(2);
  // Nothing learnt.
  phase.learn(0, 50);
  phase.learn(1, 0);
  expect(phase.threads(2, 60_000)).toBe(2);
});
